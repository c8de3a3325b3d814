/// The documents that the server serves about itself.
enum ServedDocuments {
    /// `openapi/sluice-v1.yaml`, built into the program.
    static let openAPI: [UInt8] = PackageResources.sluice_v1_yaml

    /// Lets the page do what it does and nothing else.
    static let pagePolicy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'"

    /// A page that shows the document, without anything from elsewhere.
    static let page = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>Sluice API</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
        table { border-collapse: collapse; width: 100%; }
        td { border-top: 1px solid #ddd; padding: .3rem .6rem .3rem 0; vertical-align: top; }
        td:first-child { font-weight: 600; width: 5rem; }
        code, pre { font: 13px/1.45 ui-monospace, monospace; }
        pre { background: #f6f6f6; overflow: auto; padding: 1rem; }
        </style>
        </head>
        <body>
        <h1>Sluice API</h1>
        <p>The contract is <a href="/openapi.yaml">openapi.yaml</a> (OpenAPI 3.1). What it has:</p>
        <table id="operations"></table>
        <h2>The document</h2>
        <pre id="document"></pre>
        <script>
        fetch("/openapi.yaml").then(answer => answer.text()).then(text => {
          document.getElementById("document").textContent = text;
          const table = document.getElementById("operations");
          let path = "", method = "";
          for (const line of text.split("\\n")) {
            if (line === "components:") break;
            const found = line.match(/^  (\\/\\S*):$/), verb = line.match(/^    (get|put|post|patch|delete):$/);
            const summary = line.match(/^      summary: (.*)$/);
            if (found) path = found[1];
            if (verb) method = verb[1].toUpperCase();
            if (summary) {
              const row = table.insertRow();
              row.insertCell().textContent = method;
              row.insertCell().append(Object.assign(document.createElement("code"), { textContent: path }));
              row.insertCell().textContent = summary[1];
            }
          }
        });
        </script>
        </body>
        </html>
        """
}
