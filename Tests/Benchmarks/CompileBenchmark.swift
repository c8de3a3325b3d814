internal import EnvoyConfig
internal import MeshCompiler
internal import MeshModel

/// The compiler and the encoder on the ``LargeMesh``, in this process. The baseline of a change is doing everything anew.
struct CompileBenchmark {
    private let mesh: MeshState
    private let view: LayerID

    init() throws {
        mesh = try LargeMesh.state()
        view = .outbound(namespace: try LargeMesh.name("shop"))
    }

    func run() throws -> [Figure] {
        let full = measure(7) { _ = Compiler(mesh) }
        let compiler = Compiler(mesh)
        let encoding = measure(
            7,
            preparing: {
                var fresh = Compiler()
                let change = fresh.update(mesh, .all)
                let compiled = fresh
                return {
                    var encoder = ConfigEncoder()
                    _ = encoder.update(change, of: compiled)
                }
            })
        var figures = [
            Figure(
                what: "compile 1000 services × 10 endpoints from nothing", value: Table.text(full), budget: "≤ 150 ms"),
            Figure(what: "encode all of it", value: Table.text(encoding)),
        ]
        for (what, change) in [("endpoint", try endpointChanges()), ("route", try routeChanges())] {
            let (compile, encode) = incremental(compiler, change.states, change.change)
            figures.append(
                Figure(
                    what: "compile after one \(what) changed", value: Table.text(compile), baseline: Table.text(full),
                    ratio: Table.ratio(compile / full), budget: what == "route" ? "≤ 1 ms" : ""))
            figures.append(
                Figure(
                    what: "encode after one \(what) changed, with the view's part", value: Table.text(encode),
                    baseline: Table.text(encoding), ratio: Table.ratio(encode / encoding)))
        }
        return figures
    }

    /// Two states that differ in one endpoint, to go to and fro between.
    private func endpointChanges() throws -> (states: [MeshState], change: MeshChange) {
        let key = try LargeMesh.key(500)
        var other = mesh
        other.endpoints[key]?[try LargeMesh.name("e0")]?.spec = try LargeMesh.read(
            LargeMesh.endpoint(500, 0, weight: 7))
        var change = MeshChange()
        change.endpoints = [key]
        return ([other, mesh], change)
    }

    private func routeChanges() throws -> (states: [MeshState], change: MeshChange) {
        let key = try LargeMesh.key(500)
        var other = mesh
        other.virtualServices[key]?.spec = try LargeMesh.read(LargeMesh.rules(500, timeout: 9))
        var change = MeshChange()
        change.virtualServices = [key]
        return ([other, mesh], change)
    }

    private func incremental(
        _ start: Compiler, _ states: [MeshState], _ change: MeshChange
    ) -> (compile: Duration, encode: Duration) {
        var compiler = start
        var encoder = ConfigEncoder()
        var first = Compiler()
        _ = encoder.update(first.update(mesh, .all), of: first)
        var compiling: [Duration] = []
        var encoding: [Duration] = []
        let clock = ContinuousClock()
        for round in 0..<200 {
            var compiled = CompiledChange()
            compiling.append(clock.measure { compiled = compiler.update(states[round % states.count], change) })
            encoding.append(
                clock.measure {
                    let encoded = encoder.update(compiled, of: compiler)
                    _ = encoder.change(encoded, in: view)
                })
            precondition(!compiled.isEmpty, "a change that changes nothing measures nothing")
        }
        return (Table.median(compiling) ?? .zero, Table.median(encoding) ?? .zero)
    }

    private func measure(_ count: Int, _ work: () -> Void) -> Duration {
        Table.median((0..<count).map { _ in ContinuousClock().measure(work) }) ?? .zero
    }

    /// As above, for work that has to be prepared.
    private func measure(_ count: Int, preparing prepare: () -> () -> Void) -> Duration {
        Table.median(
            (0..<count).map { _ in
                let work = prepare()
                return ContinuousClock().measure(work)
            }) ?? .zero
    }
}
