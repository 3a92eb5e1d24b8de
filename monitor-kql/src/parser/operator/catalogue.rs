//! Every tabular operator that Kusto documents: how far it is supported.

/// How far a construct is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    /// As Kusto documents it.
    Yes,
    /// But for what is said.
    Partly(&'static str),
    /// Refused, with what to use.
    Refused(&'static str),
}

/// An operator.
pub(crate) struct Entry {
    /// As it is written.
    pub(crate) name: &'static str,
    /// The name of the operator that it is another name of, or its own.
    pub(crate) canonical: &'static str,
    /// How far it is supported.
    pub(crate) support: Support,
}

pub(super) fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

const fn yes(name: &'static str) -> Entry {
    Entry { name, canonical: name, support: Support::Yes }
}

const fn alias(name: &'static str, canonical: &'static str) -> Entry {
    Entry { name, canonical, support: Support::Yes }
}

const fn partly(name: &'static str, but: &'static str) -> Entry {
    Entry { name, canonical: name, support: Support::Partly(but) }
}

const fn refused(name: &'static str, instead: &'static str) -> Entry {
    Entry { name, canonical: name, support: Support::Refused(instead) }
}

const NO_GRAPH: &str = "there is no graph engine: join the rows, with `join kind=inner` for each step of a path";

/// In alphabetical order.
pub(crate) const CATALOGUE: &[Entry] = &[
    yes("as"),
    yes("assert-schema"),
    yes("consume"),
    yes("count"),
    yes("distinct"),
    partly("evaluate", "the plugins that docs/kql.md lists"),
    yes("extend"),
    yes("facet"),
    alias("filter", "where"),
    yes("find"),
    yes("fork"),
    yes("getschema"),
    refused("graph-mark-components", NO_GRAPH),
    refused("graph-match", NO_GRAPH),
    refused("graph-shortest-paths", NO_GRAPH),
    refused("graph-to-table", NO_GRAPH),
    refused("graph-where-edges", NO_GRAPH),
    refused("graph-where-nodes", NO_GRAPH),
    yes("invoke"),
    partly("join", "without `where` in place of `on`"),
    alias("limit", "take"),
    yes("lookup"),
    refused("macro-expand", "a host has one database: name its tables in a `union`"),
    refused("make-graph", NO_GRAPH),
    yes("make-series"),
    yes("mv-apply"),
    alias("mvapply", "mv-apply"),
    yes("mv-expand"),
    alias("mvexpand", "mv-expand"),
    alias("order", "sort"),
    yes("parse"),
    yes("parse-kv"),
    yes("parse-where"),
    yes("partition"),
    yes("print"),
    yes("project"),
    yes("project-away"),
    yes("project-by-names"),
    yes("project-keep"),
    yes("project-rename"),
    yes("project-reorder"),
    yes("range"),
    yes("reduce"),
    yes("render"),
    yes("sample"),
    yes("sample-distinct"),
    yes("scan"),
    yes("search"),
    yes("serialize"),
    yes("sort"),
    yes("summarize"),
    yes("take"),
    yes("top"),
    yes("top-hitters"),
    yes("top-nested"),
    yes("union"),
    yes("where"),
];
