package import MeshCore

/// The status of a release: everything that the engine must know to go on, and what people are shown of it.
///
/// Written only by ``ReleaseMachine``; stored as the object's `status`. All times are PostgreSQL's.
package struct ReleaseStatus: Hashable, Sendable {
    package enum Phase: String, CaseIterable, Sendable {
        case draft = "Draft"
        case pending = "Pending"
        case progressing = "Progressing"
        case paused = "Paused"
        /// People have to decide before the plan goes on.
        case waitingApproval = "WaitingApproval"
        case promoting = "Promoting"
        case finalizing = "Finalizing"
        case succeeded = "Succeeded"
        case rollingBack = "RollingBack"
        case rolledBack = "RolledBack"
        case aborted = "Aborted"
        /// Gave way to another release of its service.
        case superseded = "Superseded"
        /// Could not be driven to a safe state, because what it was about is gone.
        case failed = "Failed"

        package var isTerminal: Bool {
            switch self {
            case .succeeded, .rolledBack, .aborted, .superseded, .failed: true
            default: false
            }
        }

        /// Whether the release holds its service, so that no second one may start on it.
        package var isActive: Bool { self != .draft && !isTerminal }

        /// Before the decision between promotion and rollback.
        package var isAdvancing: Bool {
            self == .pending || self == .progressing || self == .paused || self == .waitingApproval
        }
    }

    package enum StepState: String, CaseIterable, Sendable {
        /// Waits for endpoints.
        case pending = "Pending"
        /// The traffic is being committed.
        case applying = "Applying"
        /// Waits for every proxy that can be sending by older routes to have acknowledged the traffic.
        case verifying = "Verifying"
        case baking = "Baking"
        /// A pause step waits for its time or a decision.
        case waiting = "Waiting"
        case completed = "Completed"
        /// Left before it was completed, by a person.
        case skipped = "Skipped"
        case failed = "Failed"
    }

    /// The outcome of the release, in Argo Rollouts' words.
    package enum Completion: String, CaseIterable, Sendable {
        case promoted = "Promoted"
        /// By `promote` with `to: full`.
        case fastPromoted = "FastPromoted"
        case rolledBack = "RolledBack"
        case aborted = "Aborted"
        case superseded = "Superseded"
    }

    /// Why a phase or an event is what it is; part of the API's contract.
    package enum Reason: String, CaseIterable, Sendable {
        case manualPause = "ManualPause"
        case pauseStep = "PauseStep"
        case canaryUnavailable = "CanaryUnavailable"
        case stableUnhealthy = "StableUnhealthy"
        case endpointsNotReady = "EndpointsNotReady"
        /// The stable version could not carry what all versions get while none is in charge.
        case stableTooSmall = "StableTooSmall"
        /// The rules leave the release no route whose shares it could move.
        case nothingToSplit = "NothingToSplit"
        /// The promotion would move routes that the release did not split, and nobody has acknowledged that.
        case unsplitRoutes = "UnsplitRoutes"
        /// The release leaves rules as they are which the step is to split: it would make too many copies of them.
        case tooManyCopies = "TooManyCopies"
        case analysisFailed = "AnalysisFailed"
        /// Measurements were undecided, or too few.
        case inconclusiveAnalysis = "InconclusiveAnalysis"
        /// Nothing could be measured.
        case providerError = "ProviderError"
        /// The plan was not to go on: somebody has rejected it, or nobody has decided in time.
        case gateRejected = "GateRejected"
        /// The plan gives the canary most of the traffic, and nobody who may do so has said so.
        case promotionGate = "PromotionGate"
        case webhookFailed = "WebhookFailed"
        case superseded = "Superseded"
        case superseding = "Superseding"
        case configRejected = "ConfigRejected"
        case progressDeadlineExceeded = "ProgressDeadlineExceeded"
        case targetMissing = "TargetMissing"
        case stableVersionChanged = "StableVersionChanged"
        case scheduled = "Scheduled"
        /// A freeze window keeps it from beginning.
        case freezeWindow = "FreezeWindow"
        case waitingForProxies = "WaitingForProxies"
        case userRequest = "UserRequest"
        case planCompleted = "PlanCompleted"
    }

    package struct CurrentStep: Hashable, Sendable {
        /// The step's number, from 0. Behind the last step of the plan stands one more, of kind `promote`, which the engine adds.
        package var index: Int
        package var name: String?
        package var kind: ReleaseStep.Kind
        package var state: StepState
        package var startedAt: Timestamp
        /// Grows whenever any step is entered, so that a step taken again is told apart.
        package var visit: Int
        /// How long the step baked or waited until ``activeSince``, or in all if that is `nil`.
        package var elapsedActive: Duration = .zero
        /// Since when the step's clock runs; `nil` while it stands.
        package var activeSince: Timestamp?
        /// When the step fails unless it is in force by then; `nil` while it bakes, or waits for proxies or a decision.
        package var deadlineAt: Timestamp?

        /// How long the step has baked or waited.
        package func elapsed(at now: Timestamp) -> Duration {
            elapsedActive + (activeSince.map { max(.zero, now - $0) } ?? .zero)
        }
    }

    /// The traffic that the release wants, and how far the proxies have followed.
    package struct Traffic: Hashable, Sendable {
        package var canaryShare: TrafficShare = .none
        package var matches: [ContentMatch] = []
        package var mirror: ReleaseTraffic.Mirror?
        /// When this traffic was decided; `nil`: the release never touched any.
        package var changedAt: Timestamp?
        /// The mesh's revision in which this traffic was committed. `nil` until ``ReleaseStatus/stamp(_:)``.
        package var configRevision: Revision?
        /// The time from which on the time that proxies have counts (``ReleaseStrategy/applyTimeout``): the commit, or later when
        /// servers are lost.
        package var waitingSince: Timestamp?
        /// When it was in force: all have acknowledged it, or those who have not are left behind.
        package var appliedAt: Timestamp?
        /// When their time was over for the first time and too many had not.
        package var missedAt: Timestamp?
        /// How many of ``totalProxies`` have acknowledged ``configRevision``.
        package var ackedProxies: Int = 0
        /// Proxies that can still be sending by older routes (``ReleaseObservations/Proxies``).
        package var totalProxies: Int = 0

        package init() {}

        /// Whether any request's answer comes from the canary.
        package var exposesCanary: Bool { canaryShare > .none || !matches.isEmpty }
        /// Whether the canary gets anything, copies included.
        package var isEffective: Bool { exposesCanary || mirror != nil }
        /// Whether proxies did not follow in their time, and the release has not gone on without them.
        package var isMissed: Bool { missedAt != nil && appliedAt == nil }
        /// Whether the revision of the last change is not known yet.
        package var awaitsStamp: Bool { changedAt != nil && configRevision == nil }
    }

    /// The runs of analyses that the release goes by now; `nil`: there is none of the sort.
    package struct AnalysisRuns: Hashable, Sendable {
        /// The current step's.
        package var current: String?
        /// Beside the steps.
        package var background: String?
        /// Between promotion and end.
        package var postPromotion: String?
        /// When the release turns around if there is no answer before; `nil`: there are answers.
        package var escalatesAt: Timestamp?
        /// Whether somebody lets the release end although ``postPromotion`` was undecided.
        package var isPostPromotionAccepted = false

        package init() {}

        /// The runs that there are.
        package var ids: [String] { [current, background, postPromotion].compactMap(\.self) }
    }

    package struct PauseCondition: Hashable, Sendable {
        package var reason: Reason
        package var startTime: Timestamp
        /// For people; may be empty.
        package var message = ""
    }

    package struct Blocker: Hashable, Sendable {
        /// `Endpoints`, `Proxies`, `ProxiesAway`, `Decision`, `Approval`, `Analysis`, `Samples`, `Webhook`, `Schedule`, `Freeze`,
        /// `Superseding`, `StableUnhealthy` or `CanaryUnavailable`.
        package var kind: String
        package var detail: String
    }

    package struct Condition: Hashable, Sendable {
        /// `Progressing`, `CanaryReady`, `StableReady` or `TrafficApplied`.
        package var type: String
        package var isTrue: Bool
        package var reason: String
        /// For people; may be empty.
        package var message: String = ""
        package var lastTransitionTime: Timestamp
    }

    package var phase: Phase = .draft
    package var reason: Reason?
    /// For people; may be empty.
    package var message: String = ""
    /// 0 before the first start; grows with `retry`.
    package var attempt: Int = 0
    package var currentStep: CurrentStep?
    package var traffic = Traffic()
    package var analysis = AnalysisRuns()
    /// Steps whose traffic was left out, by number.
    package var skipped: Set<Int> = []
    package var people = People()
    /// Decisions about the gate that the release is at, one a person.
    package var votes: [Vote] = []
    package var overriddenFreezes: [OverriddenFreeze] = []
    /// The thing that freeze windows keep it from; `nil`: none does.
    package var frozen: Frozen?
    /// The release whose success this one takes back.
    package var rollbackOf: Name?
    /// The release that takes this one's success back.
    package var rolledBackBy: Name?
    package var pauseConditions: [PauseCondition] = []
    package var blockedOn: [Blocker] = []
    package var conditions: [Condition] = []
    package var completionStatus: Completion?
    /// The outcome that the release will have, once it is promoting or rolling back.
    package var ending: Completion?
    /// Whether the service's stable version is the canary by this release's doing.
    package var isPromoted = false
    /// The service's status before the promotion, for taking it back.
    package var serviceBefore: ServiceStatus?
    /// Whether the rollback goes on although the stable version is unhealthy.
    package var isForced = false
    /// Whether the release goes on although the stable version cannot carry everything.
    package var isCapacityWaived = false
    /// Whether somebody has acknowledged that the promotion moves routes that the release did not split.
    package var isUnsplitAcknowledged = false
    /// Whether somebody has acknowledged that steps leave rules as they are which they are to split. Ends when they do not any
    /// more.
    package var isExcessAcknowledged = false
    /// Phases entered in this attempt.
    package var transitions: Int = 0
    /// Steps entered in this attempt.
    package var visits: Int = 0
    /// When the phase was entered.
    package var lastTransitionTime: Timestamp?

    package init() {}
}

extension ReleaseStatus {
    /// The traffic that is compiled of the release. Terminal and not yet started releases own nothing.
    ///
    /// - Parameter namespace: the release's.
    /// - Returns: `nil` if the release changes no route.
    package func ownedTraffic(of spec: ReleaseSpec, in namespace: Name) -> ReleaseTraffic? {
        guard ownsTraffic else { return nil }
        var owned = spec.traffic(in: namespace)
        owned.canaryShare = traffic.canaryShare
        owned.matches = traffic.matches
        owned.mirror = traffic.mirror
        return owned
    }

    package var ownsTraffic: Bool { phase.isActive && traffic.isEffective }

    /// Fills in the revision of the commit that changes the traffic.
    ///
    /// Call it on every status that ``ReleaseMachine`` made, with the revision of the transaction that writes it,
    /// before it is written. Changes nothing where nothing awaits a revision.
    package mutating func stamp(_ revision: Revision) {
        if traffic.awaitsStamp { traffic.configRevision = revision }
    }

    /// The status with the step's clock read at `now`, for showing it. Deciding on it gives the same result.
    package func shown(at now: Timestamp) -> ReleaseStatus {
        guard var step = currentStep, step.activeSince.map({ $0 <= now }) == true else { return self }
        step.elapsedActive = step.elapsed(at: now)
        step.activeSince = now
        var copy = self
        copy.currentStep = step
        return copy
    }
}
