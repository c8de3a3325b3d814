package import MeshCompiler
package import MeshCore
package import MeshModel

/// Everything that a mesh comes to, to be compared.
package struct CompiledMesh: Equatable {
    package var clusters: [Host: CompiledClusters] = [:]
    package var endpoints: [Host: [IR.Endpoints]] = [:]
    package var virtualHosts: [Host: [IR.VirtualHost]] = [:]
    package var inbound: [NamespacedName: [IR.Inbound]] = [:]

    package init(_ compiler: Compiler) {
        let everything = compiler.everything
        for host in everything.clusters { clusters[host] = compiler.clusters(of: host) }
        for host in everything.endpoints { endpoints[host] = compiler.endpoints(of: host) }
        for host in everything.routes { virtualHosts[host] = compiler.virtualHosts(of: host) }
        for proxy in everything.workloads where !compiler.inbound(of: proxy).isEmpty {
            inbound[proxy] = compiler.inbound(of: proxy)
        }
    }
}
