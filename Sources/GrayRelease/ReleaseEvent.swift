package import Documents
package import MeshCore

/// Something that happened to a release, written in the same transaction as the status that it led to.
package struct ReleaseEvent: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        // Phases.
        case started = "Started"
        case progressing = "Progressing"
        case paused = "Paused"
        case resumed = "Resumed"
        case promotionStarted = "PromotionStarted"
        case promoted = "Promoted"
        case succeeded = "Succeeded"
        case rollbackStarted = "RollbackStarted"
        case rolledBack = "RolledBack"
        case aborted = "Aborted"
        case failed = "Failed"
        // Steps.
        case stepStarted = "StepStarted"
        case stepApplying = "StepApplying"
        case stepVerifying = "StepVerifying"
        case stepBaking = "StepBaking"
        case stepWaiting = "StepWaiting"
        case stepCompleted = "StepCompleted"
        case stepSkipped = "StepSkipped"
        case stepFailed = "StepFailed"
        // Things that change neither.
        case trafficWithdrawn = "TrafficWithdrawn"
        case pauseAdded = "PauseAdded"
        case pauseRemoved = "PauseRemoved"
        case stragglersLeftBehind = "StragglersLeftBehind"
        case applyTimeoutExceeded = "ApplyTimeoutExceeded"
        case controllerGap = "ControllerGap"
        case rollbackForced = "RollbackForced"
        case startForced = "StartForced"
        case endingChanged = "EndingChanged"
        case stepChosen = "StepChosen"
        case approvalRequested = "ApprovalRequested"
        case approved = "Approved"
        case rejected = "Rejected"
        case approvalSkipped = "ApprovalSkipped"
        case promotionGranted = "PromotionGranted"
        case freezeOverridden = "FreezeOverridden"
        case notified = "Notified"
        case webhookCalled = "WebhookCalled"
        case superseded = "Superseded"
        case successRolledBack = "SuccessRolledBack"
        case analysisStarted = "AnalysisStarted"
        case inconclusiveAccepted = "InconclusiveAccepted"
        /// Written by whoever delivers, and not by the engine.
        case notificationFailed = "NotificationFailed"
    }

    package var kind: Kind
    /// Unique among the release's events: what happened, in which attempt, phase or step. The store enforces it, so no
    /// transition is ever recorded twice.
    package var dedupeKey: String
    package var at: Timestamp
    /// The phase and step that the release is in after the event, so that replaying the events gives the status'.
    package var phase: ReleaseStatus.Phase
    package var stepIndex: Int?
    package var stepState: ReleaseStatus.StepState?
    package var reason: ReleaseStatus.Reason?
    package var message: String
    package var canaryShare: TrafficShare

    /// The event's `payload`.
    package var json: JSONValue {
        .fields([
            "phase": .string(phase.rawValue),
            "step": stepIndex.map { .integer(Int64($0)) },
            "stepState": stepState.map { .string($0.rawValue) },
            "reason": reason.map { .string($0.rawValue) },
            "message": message.isEmpty ? nil : .string(message),
            "canary": .integer(Int64(canaryShare.basisPoints)),
        ])
    }
}
