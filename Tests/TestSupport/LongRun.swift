internal import Foundation

/// How much a random test tries: little by default, and as much as an environment variable asks for.
package enum LongRun {
    package static func count(_ variable: String, else usual: Int) -> Int {
        ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? usual
    }
}
