extension UInt64 {
    /// The sum, or the largest number where that is larger: for counts that others report.
    package func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }

    /// The difference, or 0 where that would be less.
    package func subtractingSaturating(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
