package import Documents
internal import MeshCore

extension ReleaseStatus {
    /// Reads what ``json`` wrote. A member that does not look like it has its default: an absent or foreign document is
    /// a draft.
    package init(_ document: JSONValue) {
        phase = document.choice("phase") ?? .draft
        reason = document.choice("reason")
        message = document["message"]?.stringValue ?? ""
        attempt = document.count("attempt")
        currentStep = document["currentStep"].flatMap(CurrentStep.init)
        traffic = document["traffic"].map(Traffic.init) ?? Traffic()
        skipped = Set(document.items("skipped") { $0.integerValue.flatMap { Int(exactly: $0) } })
        analysis = document["analysis"].map(AnalysisRuns.init) ?? AnalysisRuns()
        people = document["people"].map(People.init) ?? People()
        votes = document.items("votes", Vote.init)
        overriddenFreezes = document.items("overriddenFreezes", OverriddenFreeze.init)
        frozen = document["frozen"].flatMap(Frozen.init)
        rollbackOf = document["rollbackOf"]?.stringValue.flatMap(Name.init)
        rolledBackBy = document["rolledBackBy"]?.stringValue.flatMap(Name.init)
        pauseConditions = document.items("pauseConditions") { item in
            guard let reason: Reason = item.choice("reason"), let time = item.time("startTime") else { return nil }
            return PauseCondition(reason: reason, startTime: time, message: item["message"]?.stringValue ?? "")
        }
        blockedOn = document.items("blockedOn") { item in
            item["kind"]?.stringValue.map { Blocker(kind: $0, detail: item["detail"]?.stringValue ?? "") }
        }
        conditions = document.items("conditions") { item in
            guard let type = item["type"]?.stringValue, let time = item.time("lastTransitionTime") else { return nil }
            return Condition(
                type: type, isTrue: item["status"] == "True", reason: item["reason"]?.stringValue ?? "",
                message: item["message"]?.stringValue ?? "", lastTransitionTime: time)
        }
        completionStatus = document.choice("completionStatus")
        ending = document.choice("ending")
        isPromoted = document["isPromoted"]?.boolValue ?? false
        serviceBefore = document["serviceBefore"].map(ServiceStatus.init)
        isForced = document["isForced"]?.boolValue ?? false
        isCapacityWaived = document["isCapacityWaived"]?.boolValue ?? false
        isUnsplitAcknowledged = document["isUnsplitAcknowledged"]?.boolValue ?? false
        isExcessAcknowledged = document["isExcessAcknowledged"]?.boolValue ?? false
        transitions = document.count("transitions")
        visits = document.count("visits")
        lastTransitionTime = document.time("lastTransitionTime")
    }

    package var json: JSONValue {
        .fields([
            "phase": .string(phase.rawValue),
            "reason": reason.map { .string($0.rawValue) } ?? .null,
            "message": .string(message),
            "attempt": .integer(Int64(attempt)),
            "currentStep": currentStep?.json ?? .null,
            "traffic": traffic.json,
            "analysis": analysis.json,
            "skipped": JSONValue.list(skipped.sorted()) { .integer(Int64($0)) },
            "people": people.json,
            "votes": JSONValue.list(votes, \.json),
            "overriddenFreezes": JSONValue.list(overriddenFreezes, \.json),
            "frozen": frozen.map { ["since": .string($0.since.text), "what": .string($0.what.rawValue)] },
            "rollbackOf": rollbackOf.map { .string($0.text) },
            "rolledBackBy": rolledBackBy.map { .string($0.text) },
            "pauseConditions": .array(
                pauseConditions.map {
                    .fields([
                        "reason": .string($0.reason.rawValue), "startTime": .string($0.startTime.text),
                        "message": $0.message.isEmpty ? nil : .string($0.message),
                    ])
                }),
            "blockedOn": .array(blockedOn.map { ["kind": .string($0.kind), "detail": .string($0.detail)] }),
            "conditions": .array(
                conditions.map {
                    .fields([
                        "type": .string($0.type), "status": $0.isTrue ? "True" : "False", "reason": .string($0.reason),
                        "message": $0.message.isEmpty ? nil : .string($0.message),
                        "lastTransitionTime": .string($0.lastTransitionTime.text),
                    ])
                }),
            "completionStatus": completionStatus.map { .string($0.rawValue) } ?? .null,
            "ending": ending.map { .string($0.rawValue) },
            "isPromoted": .bool(isPromoted),
            "serviceBefore": serviceBefore?.json,
            "isForced": .bool(isForced),
            "isCapacityWaived": .bool(isCapacityWaived),
            "isUnsplitAcknowledged": .bool(isUnsplitAcknowledged),
            "isExcessAcknowledged": .bool(isExcessAcknowledged),
            "transitions": .integer(Int64(transitions)),
            "visits": .integer(Int64(visits)),
            "allowedActions": .array(ReleaseMachine.allowedVerbs(self).map { .string($0.rawValue) }),
            "lastTransitionTime": .time(lastTransitionTime),
        ])
    }
}

extension ReleaseStatus.AnalysisRuns {
    fileprivate init(_ document: JSONValue) {
        current = document["current"]?.stringValue
        background = document["background"]?.stringValue
        postPromotion = document["postPromotion"]?.stringValue
        escalatesAt = document.time("escalatesAt")
        isPostPromotionAccepted = document["isPostPromotionAccepted"]?.boolValue ?? false
    }

    /// `nil`: there is none, and nothing to be said.
    fileprivate var json: JSONValue? {
        guard self != Self() else { return nil }
        return .fields([
            "current": current.map(JSONValue.string), "background": background.map(JSONValue.string),
            "postPromotion": postPromotion.map(JSONValue.string), "escalatesAt": escalatesAt.map { .string($0.text) },
            "isPostPromotionAccepted": isPostPromotionAccepted ? true : nil,
        ])
    }
}

extension ReleaseStatus.People {
    fileprivate init(_ document: JSONValue) {
        self.init(author: document["author"]?.stringValue)
        starter = document["starter"]?.stringValue
        editors = Array(document.items("editors") { $0.stringValue }.prefix(Self.mostEditors))
        mayPromote = document["mayPromote"]?.boolValue
    }

    /// `nil`: nobody is known.
    fileprivate var json: JSONValue? {
        guard self != Self() else { return nil }
        return .fields([
            "author": author.map(JSONValue.string), "starter": starter.map(JSONValue.string),
            "editors": JSONValue.list(editors, JSONValue.string), "mayPromote": mayPromote.map(JSONValue.bool),
        ])
    }
}

extension ReleaseStatus.Vote {
    fileprivate init?(_ document: JSONValue) {
        guard let person = document["person"]?.stringValue, let approves = document["approves"]?.boolValue,
            let at = document.time("at")
        else { return nil }
        self.init(person: person, approves: approves, comment: document["comment"]?.stringValue ?? "", at: at)
    }

    fileprivate var json: JSONValue {
        .fields([
            "person": .string(person), "approves": .bool(approves),
            "comment": comment.isEmpty ? nil : .string(comment), "at": .string(at.text),
        ])
    }
}

extension ReleaseStatus.Frozen {
    fileprivate init?(_ document: JSONValue) {
        guard let since = document.time("since"), let what: Freeze.Blocked = document.choice("what") else { return nil }
        self.init(since: since, what: what)
    }
}

extension ReleaseStatus.OverriddenFreeze {
    fileprivate init?(_ document: JSONValue) {
        guard let namespace = document["namespace"]?.stringValue.flatMap(Name.init),
            let name = document["name"]?.stringValue.flatMap(Name.init)
        else { return nil }
        self.init(name: NamespacedName(namespace: namespace, name: name), until: document.time("until"))
    }

    fileprivate var json: JSONValue {
        .fields([
            "namespace": .string(name.namespace.text), "name": .string(name.name.text),
            "until": until.map { .string($0.text) },
        ])
    }
}

extension ReleaseStatus.CurrentStep {
    fileprivate init?(_ document: JSONValue) {
        guard let state: ReleaseStatus.StepState = document.choice("state"), let startedAt = document.time("startedAt"),
            let kind: ReleaseStep.Kind = document.choice("kind")
        else { return nil }
        index = document.count("index")
        name = document["name"]?.stringValue
        self.kind = kind
        self.state = state
        self.startedAt = startedAt
        visit = document.count("visit")
        elapsedActive = document["elapsedActive"]?.stringValue.flatMap(Duration.init(iso8601:)) ?? .zero
        activeSince = document.time("activeSince")
        deadlineAt = document.time("deadlineAt")
    }

    fileprivate var json: JSONValue {
        .fields([
            "index": .integer(Int64(index)), "name": name.map(JSONValue.string) ?? .null,
            "kind": .string(kind.rawValue),
            "state": .string(state.rawValue), "startedAt": .string(startedAt.text), "visit": .integer(Int64(visit)),
            "elapsedActive": .string(elapsedActive.iso8601), "activeSince": .time(activeSince),
            "deadlineAt": .time(deadlineAt),
        ])
    }
}

extension ReleaseStatus.Traffic {
    fileprivate init(_ document: JSONValue) {
        canaryShare = document["desired"]?["canary"]?.integerValue.flatMap(TrafficShare.init(basisPoints:)) ?? .none
        matches = document.items("matches") { item in
            ContentMatch.read(item, at: .root, log: ViolationLog(ofStored: true))
        }
        mirror = document["mirror"].flatMap { item in
            guard let share = item["share"]?.integerValue.flatMap(TrafficShare.init(basisPoints:)) else { return nil }
            return ReleaseTraffic.Mirror(share: share, methods: item.items("methods") { $0.stringValue })
        }
        changedAt = document.time("changedAt")
        configRevision = document["applied"]?["configRevision"]?.integerValue
        waitingSince = document["applied"]?.time("waitingSince")
        appliedAt = document["applied"]?.time("at")
        missedAt = document["applied"]?.time("missedAt")
        ackedProxies = document["applied"]?.count("ackedProxies") ?? 0
        totalProxies = document["applied"]?.count("totalProxies") ?? 0
    }

    fileprivate var json: JSONValue {
        .fields([
            "desired": [
                "canary": .integer(Int64(canaryShare.basisPoints)),
                "stable": .integer(Int64(canaryShare.complement.basisPoints)),
            ],
            "applied": [
                "configRevision": configRevision.map(JSONValue.integer) ?? .null,
                "ackedProxies": .integer(Int64(ackedProxies)), "totalProxies": .integer(Int64(totalProxies)),
                "waitingSince": .time(waitingSince), "at": .time(appliedAt),
                "missedAt": .time(missedAt),
            ],
            "matches": JSONValue.list(matches, \.json),
            "mirror": mirror.map {
                [
                    "share": .integer(Int64($0.share.basisPoints)),
                    "methods": .array($0.methods.map(JSONValue.string)),
                ]
            },
            "changedAt": changedAt.map { .string($0.text) },
        ])
    }
}

extension JSONValue {
    fileprivate static func time(_ timestamp: Timestamp?) -> JSONValue {
        timestamp.map { .string($0.text) } ?? .null
    }

    fileprivate func time(_ member: String) -> Timestamp? { self[member]?.stringValue.flatMap(Timestamp.init(text:)) }

    fileprivate func choice<E: RawRepresentable<String>>(_ member: String) -> E? {
        self[member]?.stringValue.flatMap(E.init(rawValue:))
    }

    /// A number that is never negative and fits 32 bits, so that counting on cannot overflow.
    fileprivate func count(_ member: String) -> Int {
        Int(max(0, min(self[member]?.integerValue ?? 0, Int64(Int32.max))))
    }

    fileprivate func items<T>(_ member: String, _ transform: (JSONValue) -> T?) -> [T] {
        (self[member]?.arrayValue ?? []).compactMap(transform)
    }
}
