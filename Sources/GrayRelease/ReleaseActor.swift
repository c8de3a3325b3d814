package import MeshCore

/// A caller who asks something of a release: a person with the rights that matter to plans.
package struct ReleaseActor: Hashable, Sendable {
    /// The owner of the key that was used. One person has one vote, whatever number of keys.
    package var person: String
    /// Groups and roles by which a gate may know the person.
    package var groups: Set<String>
    /// Whether the person may give the canary most of the traffic.
    package var mayPromote: Bool
    /// Whether the person may go past a gate that others have not opened.
    package var maySkipApproval: Bool

    package init(
        person: String, groups: Set<String> = [], mayPromote: Bool = true, maySkipApproval: Bool = false
    ) {
        self.person = person
        self.groups = groups
        self.mayPromote = mayPromote
        self.maySkipApproval = maySkipApproval
    }
}

extension ReleaseStatus {
    /// The people behind a release's plan, as far as gates ask who they are.
    package struct People: Hashable, Sendable {
        /// The creator of the release; `nil`: before this was recorded.
        package var author: String?
        /// The person who started this attempt.
        package var starter: String?
        /// The people who changed steps after it was written, in the order of their first change; at most ``mostEditors``.
        package var editors: [String] = []
        /// Whether the plan may give the canary most of the traffic: by the right of who started it, of who edited the steps last, or of
        /// who has said so since. `nil`: it was started when nobody asked.
        package var mayPromote: Bool?

        package init(author: String? = nil) { self.author = author }

        /// The number of editors that are told apart. Beyond it everybody counts as one: nobody can say any more who is not.
        package static let mostEditors = 100

        /// Whether the person has had a hand in the plan, or may have had one.
        package func include(_ person: String) -> Bool {
            author == person || starter == person || editors.contains(person) || editors.count >= Self.mostEditors
        }
    }

    /// A person's decision about the gate that the release is at.
    package struct Vote: Hashable, Sendable {
        package var person: String
        package var approves: Bool
        /// For people; may be empty.
        package var comment: String
        package var at: Timestamp
    }

    /// The thing that a freeze window has kept the release from, and since when.
    package struct Frozen: Hashable, Sendable {
        package var since: Timestamp
        package var what: Freeze.Blocked
    }

    /// A freeze window that somebody has gone on in spite of.
    package struct OverriddenFreeze: Hashable, Sendable {
        package var name: NamespacedName
        /// The end of the occurrence that was meant; `nil`: it had none.
        package var until: Timestamp?
    }

    /// Records that somebody changed the steps of the plan: its gates are to be looked at again.
    package mutating func noteEdit(by actor: ReleaseActor) {
        if !people.editors.contains(actor.person), people.editors.count < People.mostEditors {
            people.editors.append(actor.person)
        }
        people.mayPromote = actor.mayPromote
        votes = []
    }
}
