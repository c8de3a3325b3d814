package import Documents

/// Bounds on what one object, one tenant or one peer may cause in a mesh; those of a document stand in Documents.
extension Limits {
    // MARK: Regexes. Instructions are those of RE2, estimated; an instruction takes each sidecar about 16 bytes.

    package static let regexSizePerService = Limit(
        "regexSizePerService", 400_000, "instructions", "the regexes in all routes of one service")
    package static let regexSizePerMesh = Limit(
        "regexSizePerMesh", 4_000_000, "instructions", "the regexes in all routes of a mesh")

    // MARK: Routes, which are what every sidecar of a mesh holds

    package static let routesPerService = Limit(
        "routesPerService", 5_000, "routes", "the conditions of all rules for one service, for each of its HTTP ports")
    package static let routesPerMesh = Limit("routesPerMesh", 100_000, "routes", "the routes of all services of a mesh")
    package static let copiesPerRoute = Limit(
        "copiesPerRoute", 1_024, "copies", "what releases that are running make of one condition of a rule")
    package static let copiesPerService = Limit(
        "copiesPerService", 20_000, "copies", "what releases that are running make of the rules for one service")

    // MARK: Hosts that are no services'

    package static let membersPerServiceEntry = Limit(
        "membersPerServiceEntry", 20_000, "members",
        "the endpoints of one ServiceEntry, for each of its hosts and each of its ports")
    package static let definitionsPerHost = Limit(
        "definitionsPerHost", 500, "definitions",
        "the ServiceEntries of a mesh that define one host, each for its namespace")

    // MARK: References

    package static let referencesPerObject = Limit(
        "referencesPerObject", 20_000, "references", "the places in which one object names others, or may mean them")

    // MARK: Work

    package static let compilationSteps = Limit(
        "compilationSteps", 20_000, "steps", "what it may take to find out whether two conditions can hold at once")
    package static let simulationSteps = Limit(
        "simulationSteps", 5_000_000, "steps",
        "characters and instructions that one simulation looks at; beyond them it is undecided")
    package static let simulations = Limit(
        "simulations", 2, "simulations", "simulations and analyses that one replica carries out at a time")
    package static let waitingSimulations = Limit(
        "waitingSimulations", 64, "simulations",
        "simulations and analyses that wait for their turn on one replica")
    package static let waitingSimulationsPerTenant = Limit(
        "waitingSimulationsPerTenant", 8, "simulations",
        "simulations and analyses of one tenant that wait for their turn on one replica")

    // MARK: Answers. A page ends before the bound, but has one element at least.

    package static let pageBytes = Limit(
        "pageBytes", 8 << 20, "bytes", "objects of one page of a list, as they are stored; the rest is on the next page"
    )
    package static let feedPageBytes = Limit(
        "feedPageBytes", 4 << 20, "bytes", "objects that are read from a mesh or a feed at a time, as they are stored")

    package static let previewBytes = Limit(
        "previewBytes", 4 << 20, "bytes", "the preview of a release; what finds no place is counted")

    // MARK: Objects of a tenant

    package static let meshesPerTenant = Limit(
        "meshesPerTenant", 20, "meshes", "the meshes of one tenant, default among them")

    // MARK: Freeze windows

    package static let freezeWindowsPerNamespace = Limit(
        "freezeWindowsPerNamespace", 100, "freeze windows", "the freeze windows of one namespace")
    package static let freezeOccurrences = Limit(
        "freezeOccurrences", 200, "occurrences",
        "the times of one freeze window that are stored ahead; of one that comes every minute, more than a clock is put back"
    )
    package static let freezeHorizon = Limit(
        "freezeHorizon", 400, "days", "how far ahead the times of a freeze window are stored")

    // MARK: Proxies

    package static let connections = Limit("connections", 20_000, "connections", "those to the xDS port of one replica")
    package static let connectionsPerAddress = Limit(
        "connectionsPerAddress", 10_000, "connections", "those from one address to the xDS port of one replica")
    package static let streamsPerTenant = Limit(
        "streamsPerTenant", 20_000, "streams", "those of one tenant's proxies to one replica")
    package static let viewsPerTenant = Limit(
        "viewsPerTenant", 500, "views",
        "combinations of mesh, namespace, kind of program and port of which one tenant's proxies are on one replica, or were half a minute ago"
    )
    package static let namesPerStream = Limit(
        "namesPerStream", 200_000, "names", "resources that one stream asks for by name, over all types")
    package static let nameBytesPerStream = Limit(
        "nameBytesPerStream", 16 << 20, "bytes", "the names that one stream asks for, over all types")
    package static let silentSeconds = Limit(
        "silentSeconds", 10, "seconds", "the time that a connection has for its first call")

    // MARK: Telemetry

    package static let telemetrySeries = Limit(
        "telemetrySeries", 20_000, "series",
        "what one tenant's sidecars report to one replica in ten seconds, of each port and version and from each sender; more are counted with unknown sender"
    )
    package static let telemetrySources = Limit(
        "telemetrySources", 500, "senders",
        "those whose requests to one version at one port are told apart in ten seconds; more are counted with unknown sender"
    )
    package static let telemetryReporters = Limit(
        "telemetryReporters", 20_000, "proxies",
        "those of one mesh whose reports of ten seconds one replica notes; more count as silent")
    package static let waitingStatsBytes = Limit(
        "waitingStatsBytes", 32 << 20, "bytes", "reports of statistics that one replica has not read yet")

    // MARK: Analyses

    package static let analysisRunsPerRelease = Limit(
        "analysisRunsPerRelease", 100, "runs", "those of one release that are kept; older ones are forgotten")
    package static let measurementsPerMetric = Limit(
        "measurementsPerMetric", 10_000, "measurements",
        "those of one metric in one run that are kept; older ones are forgotten")

    // MARK: Notifications

    package static let notificationsPerMinute = Limit(
        "notificationsPerMinute", 20, "messages", "those to one channel in a minute; what comes beyond is one message")
    package static let eventsPerDigest = Limit(
        "eventsPerDigest", 50, "events", "those that one message tells one by one; the rest is counted")
    package static let deliveries = Limit(
        "deliveries", 64, "deliveries", "messages that one replica delivers at a time")
    package static let deliveriesPerTenant = Limit(
        "deliveriesPerTenant", 8, "deliveries", "channels of one tenant that are delivered to at a time")

    // MARK: Secrets

    package static let secretBytes = Limit(
        "secretBytes", 64 << 10, "bytes", "keys and values of one Secret together")
    package static let keysPerSecret = Limit("keysPerSecret", 100, "keys", "the keys of one Secret")
    package static let secretsPerTenant = Limit(
        "secretsPerTenant", 500, "Secrets", "the Secrets of one tenant, in all of its meshes")

    package static let adminTokenLength = Limit(
        "adminTokenLength", 16, "bytes", "the administrator's token, which must have so many at least")

    /// All bounds, those of a document among them.
    package static let all = [
        metadataBytes, violations, regexLength, regexSize, regexSizePerObject, regexSizePerService, regexSizePerMesh,
        routesPerService, routesPerMesh, copiesPerRoute, copiesPerService, referencesPerObject, compilationSteps,
        simulationSteps,
        simulations, waitingSimulations,
        waitingSimulationsPerTenant, pageBytes, feedPageBytes, previewBytes, meshesPerTenant, freezeWindowsPerNamespace,
        freezeOccurrences, freezeHorizon, connections, connectionsPerAddress,
        streamsPerTenant,
        viewsPerTenant, namesPerStream, nameBytesPerStream, silentSeconds, telemetrySeries, telemetrySources,
        telemetryReporters, analysisRunsPerRelease, measurementsPerMetric,
        waitingStatsBytes, notificationsPerMinute, eventsPerDigest, deliveries, deliveriesPerTenant, secretBytes,
        keysPerSecret, secretsPerTenant, adminTokenLength,
    ]
}
