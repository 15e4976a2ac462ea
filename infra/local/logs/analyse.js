// Microsoft's own KQL analyser over a set of queries.
// A line of stdin: {"schema": {table: "(column:type, ...)"}, "queries": {name: text}}
// A line of stdout for it: {name: {"errors": [message], "columns": ["name:type"]}}
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const { Symbols, GlobalState, KustoCode, Diagnostic } = Kusto.Language;

function globalsOf(schema) {
  const tables = new (System.Collections.Generic.List$1(Symbols.Symbol).ctor)();
  for (const [name, columns] of Object.entries(schema)) {
    tables.add(new Symbols.TableSymbol.$ctor7(name, columns, null));
  }
  const database = new Symbols.DatabaseSymbol.$ctor3("workspace", null, tables, false);
  return GlobalState.Default.WithDatabase(database);
}

function items(list, type) {
  const count = System.Array.getCount(list, type);
  return Array.from({ length: count }, (_, i) => System.Array.getItem(list, i, type));
}

function analyse(text, globals) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const errors = items(code.GetDiagnostics(), Diagnostic).filter((d) => d.Severity === "Error");
  const columns = code.ResultType?.Columns;
  return {
    errors: errors.map((d) => `${d.Code}: ${d.Message} near "${text.substr(d.Start, 40)}"`),
    columns: columns
      ? items(columns, Symbols.ColumnSymbol).map((c) => `${c.Name}:${c.Type.Name}`)
      : [],
  };
}

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const asked = JSON.parse(line);
    const globals = globalsOf(asked.schema);
    const queries = Object.entries(asked.queries);
    const answers = queries.map(([name, text]) => [name, analyse(text, globals)]);
    console.log(JSON.stringify(Object.fromEntries(answers)));
  });
