package import Documents
package import GrayRelease
package import MeshCore

/// A time in which releases do not go on: once, again and again, or until somebody ends it.
package struct FreezeWindowSpec: ResourceKind {
    package static let info = KindInfo("FreezeWindow", in: .namespace, roles: KindRoles(write: .operators))

    /// For people, who read it at a release that waits.
    package var reason = ""
    /// `nil`: from when it was made.
    package var start: Timestamp?
    /// `nil`, without ``cron``: when it is deleted.
    package var end: Timestamp?
    /// The wall clock of ``timeZone`` when it begins.
    package var cron: CronExpression?
    package var duration: Duration?
    /// An IANA name; that it is one says the database when it is written.
    package var timeZone: String?
    /// In the order of ``Freeze/Blocked/allCases``.
    package var blocks = Freeze.Blocked.allCases
    /// Services of its namespace; empty: all, and in the mesh's root namespace those of all namespaces.
    package var services: [Name] = []

    package init() {}

    package static let fields: [Field<Self>] = [
        .required(
            "reason", \.reason,
            Shape<String>.string(atMost: 512).checked { text, place, log in
                if text.isEmpty { log.report(place.pointer, .required, "must not be empty") }
            }, "What people who wait are told."),
        .optional("start", \.start, .timestamp, "When it begins. Default: when it was made."),
        .optional(
            "end", \.end, .timestamp, "When it is over. Without it, and without cron, it lasts until it is deleted."),
        .optional(
            "cron", \.cron, cronShape,
            """
            When it begins, again and again, by the wall clock of timeZone: minute, hour, day of the month, month and day of the \
            week, as Vixie cron reads them (where neither field of days begins with *, a day fits by either). What would begin in \
            an hour that the clock leaves out begins at the first instant behind it; in an hour that the clock has twice, in the \
            first.
            """),
        .optional(
            "duration", \.duration, .duration(.seconds(60)...(.seconds(31 * 86_400))),
            "How long it lasts each time, whatever the wall clock does meanwhile. With cron."),
        .optional(
            "timeZone", \.timeZone, Shape<String>.string(atMost: 64).examples("Asia/Shanghai"),
            "The IANA name of a time zone that the database knows. With cron."),
        .defaulted(
            "blocks", \.blocks, blocksShape,
            """
            What it keeps from happening: that a release that was started begins, that a step ends or a share grows, that the \
            canary becomes stable. Going back is never kept from happening.
            """),
        .defaulted(
            "services", \.services, .list(of: .name, 0...100, .ofElements("is given twice")),
            """
            Services of its namespace that it is about. Default: all; of a window in the mesh's root namespace, those of all \
            namespaces.
            """),
    ]
    package static let summary: String? =
        "A time in which releases wait. Either start and end, or cron, duration and timeZone; with neither end nor cron, a stop switch."

    private static let cronShape = Shape<String>.string(atMost: CronExpression.maxLength).examples("0 22 * * FRI")
        .converted(
            to: { text, place, log in
                do throws(CronExpression.Problem) {
                    return try CronExpression(text)
                } catch {
                    log.report(place.pointer, .invalidFormat, error.text)
                    return nil
                }
            }, from: { $0.text })

    private static let blocksShape = Shape<[Freeze.Blocked]>.list(
        of: .choice, 1...Freeze.Blocked.allCases.count, .ofElements("is given twice")
    ).converted(
        to: { blocks, _, _ in Freeze.Blocked.allCases.filter(blocks.contains) }, from: { $0 })

    package func finish(_ reading: Members) {
        let (log, place) = (reading.log, reading.pointer)
        if reading.has("cron") {
            for name in ["start", "end"] where reading.has(name) {
                log.report(place.appending(name), .conflict, "must be left out beside cron")
            }
            for name in ["duration", "timeZone"] where !reading.has(name) {
                log.report(place.appending(name), .required, "is required beside cron")
            }
        } else {
            for name in ["duration", "timeZone"] where reading.has(name) {
                log.report(place.appending(name), .conflict, "must be left out without cron")
            }
            if let start, let end, end <= start {
                log.report(place.appending("end"), .invalidValue, "must be later than start")
            }
        }
    }

    /// Services may come later, and go.
    package static func references(_ spec: Self, of key: ObjectKey) -> [Reference] {
        guard let namespace = key.namespace, let mesh = key.meshKey else { return [] }
        return spec.services.enumerated().map { index, name in
            Reference(
                to: .namespaced(.service, NamespacedName(namespace: namespace, name: name), in: mesh),
                at: .spec.appending("services").appending(index), .weak)
        }
    }
}

extension Kind {
    package static let freezeWindow = kinds[FreezeWindowSpec.self]
}
