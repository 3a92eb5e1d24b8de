//! Functions that give several columns.

use crate::types::Type;

const ARRAY: Type = Type::Dynamic;

/// The columns of a function that gives several: the ends of their names, and their types.
pub(crate) fn tuple(function: &str) -> &'static [(&'static str, Type)] {
    match function {
        "series_stats" => &[
            ("min", Type::Real),
            ("min_idx", Type::Long),
            ("max", Type::Real),
            ("max_idx", Type::Long),
            ("avg", Type::Real),
            ("stdev", Type::Real),
            ("variance", Type::Real),
        ],
        "series_fft" | "series_ifft" => &[("real", ARRAY), ("imag", ARRAY)],
        "series_fit_line" => &[
            ("rsquare", Type::Real),
            ("slope", Type::Real),
            ("variance", Type::Real),
            ("rvariance", Type::Real),
            ("interception", Type::Real),
            ("line_fit", ARRAY),
        ],
        "series_fit_2lines" => &[
            ("rsquare", Type::Real),
            ("split_idx", Type::Long),
            ("variance", Type::Real),
            ("rvariance", Type::Real),
            ("line_fit", ARRAY),
            ("right_rsquare", Type::Real),
            ("right_slope", Type::Real),
            ("right_interception", Type::Real),
            ("right_variance", Type::Real),
            ("right_rvariance", Type::Real),
            ("left_rsquare", Type::Real),
            ("left_slope", Type::Real),
            ("left_interception", Type::Real),
            ("left_variance", Type::Real),
            ("left_rvariance", Type::Real),
        ],
        "series_periods_detect" | "series_periods_validate" => &[("periods", ARRAY), ("scores", ARRAY)],
        "series_fit_poly" => &[
            ("rsquare", Type::Real),
            ("coefficients", ARRAY),
            ("variance", Type::Real),
            ("rvariance", Type::Real),
            ("poly_fit", ARRAY),
        ],
        "series_decompose" | "series_decompose_forecast" => {
            &[("baseline", ARRAY), ("seasonal", ARRAY), ("trend", ARRAY), ("residual", ARRAY)]
        }
        "series_decompose_anomalies" => &[("ad_flag", ARRAY), ("ad_score", ARRAY), ("baseline", ARRAY)],
        _ => &[],
    }
}
