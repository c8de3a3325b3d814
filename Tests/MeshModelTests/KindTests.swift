import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("What follows from the table of kinds")
struct KindTests {
    private static func name(_ text: String) throws -> Name { try MeshDocument.name(text) }

    @Test("names of collections, parameters and nouns")
    func names() {
        let names = kinds.all.map {
            "\($0.info.plural) \($0.info.parameter) \($0.info.pluralName): \($0.info.noun), \($0.info.nouns)"
        }
        #expect(
            names == [
                "tenants tenant Tenants: tenant, tenants", "clusters cluster Clusters: cluster, clusters",
                "meshes mesh Meshes: mesh, meshes", "services service Services: service, services",
                "endpoints endpoint Endpoints: endpoint, endpoints",
                "virtualServices virtualService VirtualServices: virtual service, virtual services",
                "destinationRules destinationRule DestinationRules: destination rule, destination rules",
                "serviceEntries serviceEntry ServiceEntries: service entry, service entries",
                "releases release Releases: release, releases",
                "analysisTemplates analysisTemplate AnalysisTemplates: analysis template, analysis templates",
                "metricProviders metricProvider MetricProviders: metric provider, metric providers",
                "secrets secret Secrets: secret, secrets",
                "notificationChannels notificationChannel NotificationChannels: notification channel, notification channels",
                "freezeWindows freezeWindow FreezeWindows: freeze window, freeze windows",
            ])
        #expect(kinds.kind(named: "Service") == .service && kinds.kind(named: "Pod") == nil)
        #expect(
            kinds.all.filter(\.info.isInMesh) == [
                .service, .endpoint, .virtualService, .destinationRule, .serviceEntry, .release,
                .analysisTemplate, .metricProvider, .secret, .notificationChannel, .freezeWindow,
            ])
    }

    @Test("a scope has keys of the kinds that stand in it, and leaves aside what they do not have")
    func keys() throws {
        let whole = ObjectScope(
            tenant: try Self.name("acme"), mesh: try Self.name("main"), namespace: try Self.name("shop"),
            service: try Self.name("reviews"))
        func parts(_ key: ObjectKey?) -> String? {
            key.map {
                [$0.tenant, $0.mesh, $0.namespace, $0.service, $0.name].map { $0?.text ?? "-" }.joined(separator: " ")
            }
        }
        let x = try Self.name("x")
        let rows: [(kind: Kind, whole: String, needs: WritableKeyPath<ObjectScope, Name?>?)] = [
            (.tenant, "x - - - x", nil), (.cluster, "acme - - - x", \.tenant), (.mesh, "acme - - - x", \.tenant),
            (.service, "acme main shop - x", \.namespace), (.release, "acme main shop - x", \.mesh),
            (.endpoint, "acme main shop reviews x", \.service),
        ]
        for row in rows {
            #expect(parts(whole.key(row.kind, x)) == row.whole)
            guard let needs = row.needs else { continue }
            var scope = whole
            scope[keyPath: needs] = nil
            #expect(scope.key(row.kind, x) == nil, "\(row.kind)")
        }
    }

    @Test("what is done to an object has to be allowed where it stands; to a tenant or a mesh, in that one")
    func scopes() throws {
        let (acme, blue) = (try Self.name("acme"), try Self.name("blue"))
        #expect(ObjectScope(.tenant(acme)) == ObjectScope(tenant: acme))
        #expect(ObjectScope(.cluster(blue, of: acme)) == ObjectScope(tenant: acme))
        #expect(ObjectScope(.mesh(blue, of: acme)) == ObjectScope(tenant: acme, mesh: blue))
        let key = ObjectKey.endpoint(
            try Self.name("e1"), of: try MeshDocument.namespaced("shop/reviews"), in: MeshKey(tenant: acme, mesh: blue))
        #expect(
            ObjectScope(key)
                == ObjectScope(
                    tenant: acme, mesh: blue, namespace: try Self.name("shop"), service: try Self.name("reviews")))
    }

    @Test("a child knows its parent, and an object is named by what tells it from others of its mesh")
    func references() throws {
        let mesh = MeshKey(tenant: try Self.name("acme"), mesh: try Self.name("blue"))
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let service = ObjectKey.namespaced(.service, reviews, in: mesh)
        let endpoint = ObjectKey.endpoint(try Self.name("e1"), of: reviews, in: mesh)
        #expect(endpoint.parent == service && service.parent == nil)
        #expect(endpoint.namespacedName == reviews && service.namespacedName == reviews)
        #expect(
            endpoint.reference == ["kind": "Endpoint", "namespace": "shop", "service": "reviews", "name": "e1"])
        let cluster = ObjectKey.cluster(try Self.name("dev"), of: mesh.tenant)
        #expect(service.reference(from: cluster)["mesh"] == "blue" && service.reference(from: endpoint)["mesh"] == nil)
        #expect(cluster.reference == ["kind": "Cluster", "name": "dev"])
    }

    @Test("the part of a target that is named is read as it was written, and nothing else is")
    func parts() throws {
        for part in [Reference.Part.version(try Self.name("v1")), .subset(try Self.name("best")), .key("tls.crt")] {
            #expect(Reference.Part(part.description) == part)
        }
        for text in ["", "version", "version/", "version/V1", "port/v1", "version/v1/x", "/v1", "key/", "key/a b"] {
            #expect(Reference.Part(text) == nil, "\(text)")
        }
        #expect(Reference.Strength.allCases.filter(\.keeps) == [.strong, .possible])
    }
}
