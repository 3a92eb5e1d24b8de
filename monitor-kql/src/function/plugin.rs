//! Plugins: what `evaluate` runs.

use crate::parser::Support;

/// A plugin that Kusto documents.
pub(crate) struct Plugin {
    /// As it is written.
    pub(crate) name: &'static str,
    /// How far it is supported.
    pub(crate) support: Support,
}

const fn yes(name: &'static str) -> Plugin {
    Plugin { name, support: Support::Yes }
}

const fn refused(name: &'static str, instead: &'static str) -> Plugin {
    Plugin { name, support: Support::Refused(instead) }
}

const COHORT: &str = "count by bin(Timestamp, …) with summarize and dcount()";
const MINING: &str = "group by the columns with summarize, and look at the rare and the frequent with top";
const OUTSIDE: &str = "a query does not leave the host: export the rows and join them there";
const CODE: &str = "a query runs no code of its own: write it with let functions";

/// In alphabetical order.
pub(crate) const PLUGINS: &[Plugin] = &[
    refused("active_users_count", COHORT),
    refused("activity_counts_metrics", COHORT),
    refused("activity_engagement", COHORT),
    refused("activity_metrics", COHORT),
    refused("ai_chat_completion", OUTSIDE),
    refused("ai_chat_completion_prompt", OUTSIDE),
    refused("ai_embed_text", OUTSIDE),
    refused("ai_embeddings", OUTSIDE),
    refused("autocluster", MINING),
    refused("azure_digital_twins_query_request", OUTSIDE),
    yes("bag_unpack"),
    refused("basket", MINING),
    refused("cosmosdb_sql_request", OUTSIDE),
    refused("csharp", CODE),
    refused("dax_request", OUTSIDE),
    refused("dcount_intersect", "count the rows that joins of the sets leave"),
    refused("diffpatterns", MINING),
    refused("execute_query", OUTSIDE),
    refused("execute_show_command", OUTSIDE),
    refused("funnel_sequence", "write the steps with scan"),
    refused("funnel_sequence_completion", "write the steps with scan"),
    refused("geo_line_lookup", "there is no map here"),
    refused("geo_polygon_lookup", "there is no map here"),
    refused("http_request", OUTSIDE),
    refused("http_request_post", OUTSIDE),
    refused("infer_storage_schema", "write the columns of externaldata"),
    yes("ipv4_lookup"),
    yes("ipv6_lookup"),
    refused("mysql_request", OUTSIDE),
    yes("narrow"),
    refused("new_activity_metrics", COHORT),
    yes("pivot"),
    refused("postgresql_request", OUTSIDE),
    refused("preview", "use take, and count for how many rows there are"),
    refused("python", CODE),
    refused("r", CODE),
    refused("rolling_percentile", "use make-series and series_fir()"),
    refused("rows_near", "use serialize with prev() and next()"),
    refused("schema_merge", "use union kind=outer"),
    refused("sequence_detect", "write the steps with scan"),
    refused("session_count", COHORT),
    refused("sliding_window_counts", COHORT),
    refused("sql_request", OUTSIDE),
];
