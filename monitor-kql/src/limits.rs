//! What a query may cost before it runs. A query beyond a limit is refused with a message that names the limit, so that
//! none is counted: the reader of the message is the counter.

/// Bytes of a query. The longest published hunting queries, with lists of indicators in them, are below 100 KB.
pub const QUERY_BYTES_MAX: usize = 1 << 20;

/// How deep parentheses, calls, lists and sub-queries nest. People write below 20; each level is a frame of the parser.
pub const NESTING_MAX: u32 = 100;

/// How deep an expression's tree is, counted over chains such as `a + b + c` too: each level is a frame of whoever
/// walks the tree.
pub const TREE_DEPTH_MAX: u16 = 200;

/// How many operators follow one another in a pipeline, functions that it calls included: each is a level of the plan.
pub const PLAN_DEPTH_MAX: u16 = 400;

/// How many nodes a checked query has. Functions are expanded where they are called, and functions of functions double.
pub const BOUND_NODES_MAX: usize = 200_000;

/// How many names of `let` and of parameters are visible at one point: each look-up may walk over all of them.
pub const DECLARATIONS_MAX: usize = 2_000;

/// How many columns a table has at any point of a query.
pub const COLUMNS_MAX: usize = 10_000;

/// How many rows `getschema`, `datatable` and `print` make together, counted in cells.
pub const LITERAL_CELLS_MAX: usize = 1_000_000;

/// How much a regular expression takes when it is compiled.
pub const REGEX_BYTES_MAX: usize = 1 << 20;
