internal import Foundation

/// One benchmark's outcome: a row of the printed table.
struct Figure {
    var what: String
    var value: String
    /// What the value is compared with, and the ratio of the two.
    var baseline: String = ""
    var ratio: String = ""
    /// The budget of the design, if there is one.
    var budget: String = ""
}

enum Table {
    static func show(_ title: String, _ figures: [Figure]) {
        let rows =
            [["", "measured", "baseline", "ratio", "budget"]]
            + figures.map { [$0.what, $0.value, $0.baseline, $0.ratio, $0.budget] }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = "\n\(title)\n"
        for row in rows {
            text +=
                "  "
                + zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
            text += "\n"
        }
        // Not `print`, which holds lines back when the output is a pipe.
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    /// The middle of some measurements.
    static func median<T: Comparable>(_ values: [T]) -> T? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }

    static func ratio(_ value: Double) -> String { "\(rounded(value))×" }

    static func text(_ duration: Duration) -> String {
        let seconds = duration / .seconds(1)
        switch seconds {
        case ..<0.001: return "\(rounded(seconds * 1e6)) µs"
        case ..<1: return "\(rounded(seconds * 1e3)) ms"
        default: return "\(rounded(seconds)) s"
        }
    }

    /// Three significant digits or so.
    static func rounded(_ value: Double) -> String {
        switch abs(value) {
        case 100...: "\(Int(value.rounded()))"
        case 10..<100: "\((value * 10).rounded() / 10)"
        case 0.1..<10: "\((value * 100).rounded() / 100)"
        default: "\((value * 10_000).rounded() / 10_000)"
        }
    }
}
