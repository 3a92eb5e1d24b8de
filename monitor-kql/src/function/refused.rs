//! Functions that Kusto documents and a host cannot give a value to.

/// Names, or beginnings of names that end in `*`, and what to do instead.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    ("geo_info_from_ip_address", ""),
    ("geo_*", "there is no map here: geo_info_from_ip_address() gives the place of an address"),
    ("convert_*", "multiply by the factor of the units"),
    ("cursor_*", "a store has no cursors: compare Timestamp with the last one that was seen"),
    ("current_cursor", "a store has no cursors: compare Timestamp with the last one that was seen"),
    ("current_cluster_endpoint", "a host is no cluster: leave it out"),
    ("current_database", "a host has one database: leave it out"),
    ("current_node_id", "a host is no cluster: leave it out"),
    ("current_principal*", "a query runs as the user who starts it: leave it out"),
    ("extent_id", "a store has no extents: leave it out"),
    ("extentid", "a store has no extents: leave it out"),
    ("extent_tags", "a store has no extents: leave it out"),
    ("row_id", "rows are named by DeviceName, Timestamp and ReportId"),
    ("cluster", "a host is no cluster: write the table's name alone"),
    ("database", "a host has one database: write the table's name alone"),
    ("external_table", "read files with externaldata"),
    ("materialized_view", "there are no materialized views: write the query that it stands for"),
    ("stored_query_result", "there are no stored results: write the query with let and materialize()"),
    ("entity_group", "a host has one database: name its tables in a union"),
    ("graph", "there is no graph engine: join the rows"),
    ("ai_*", "a query does not leave the host"),
];

/// Why `name` is refused and what to do instead, when it is.
pub(crate) fn refusal(name: &str) -> Option<&'static str> {
    let (_, instead) = REFUSED.iter().find(|(refused, _)| match refused.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => *refused == name,
    })?;
    (!instead.is_empty()).then_some(*instead)
}
