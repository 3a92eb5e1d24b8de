// Asks Microsoft's binder: reads {"package", "tables", "queries"} from stdin and writes, for each query, the messages with
// which it is refused and the columns that it gives.
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
require(input.package + "/bridge.js");
require(input.package + "/Kusto.Language.Bridge.js");
const { Symbols, GlobalState, KustoCode } = Kusto.Language;

const list = (values) => (values == null ? [] : Bridge.toArray(values));
const tables = Object.entries(input.tables).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, columns));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("host", tables));

function columns(type) {
  if (type == null || !type.Columns) return null;
  // Kinds of dynamic values are one type in the engine.
  const name = (type) => (/^dynamic|^array$|^bag$/.test(type.Name) ? "dynamic" : type.Name);
  return list(type.Columns).map((column) => `${column.Name}:${name(column.Type)}`).join(", ");
}

function answer(query) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const refused = list(code.GetDiagnostics()).filter((found) => found.Severity === "Error").map((found) => found.Message);
  const type = code.ResultType;
  const group = type != null && !type.Columns && type.Members && !type.IsScalar;
  return { refused, columns: group ? list(type.Members).map(columns) : [columns(type)] };
}

// The library itself fails on a few queries that it should refuse.
function answerOrFailure(query) {
  try {
    return answer(query);
  } catch (failure) {
    return { refused: [`its binder fails: ${failure.message}`], columns: [] };
  }
}

console.log(JSON.stringify(input.queries.map(answerOrFailure)));
