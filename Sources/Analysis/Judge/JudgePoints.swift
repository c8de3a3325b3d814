/// The points of one side before they are compared.
enum JudgePoints {
    /// The points with those that are no finite numbers removed or replaced by 0, and without outliers if they are to be removed.
    static func prepared(_ points: [Double], _ options: JudgeOptions) -> [Double] {
        var prepared = points
        switch options.nanStrategy {
        case .remove: prepared.removeAll { !$0.isFinite }
        case .replace: prepared = prepared.map { $0.isFinite ? $0 : 0 }
        }
        guard options.outlierStrategy == .remove, !prepared.isEmpty else { return prepared }
        let sorted = prepared.sorted()
        let (lower, upper) = (percentile(0.25, of: sorted), percentile(0.75, of: sorted))
        let distance = options.outlierFactor * (upper - lower)
        let least = min(percentile(0.01, of: sorted), lower - distance)
        let most = max(percentile(0.99, of: sorted), upper + distance)
        return prepared.filter { !($0 < least || $0 > most) }
    }

    /// The percentile by R's definition 7 (R. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", 1996): linear between
    /// the two nearest points.
    ///
    /// - Parameter sorted: finite and not empty.
    static func percentile(_ share: Double, of sorted: [Double]) -> Double {
        guard let last = sorted.last else { return 0 }
        let place = share * Double(sorted.count - 1)
        let index = Int(place)
        guard index + 1 < sorted.count else { return last }
        return sorted[index] + (place - Double(index)) * (sorted[index + 1] - sorted[index])
    }

    /// The size by which points of both sides are divided, so that how exact the test is does not depend on their unit: the
    /// greatest of the median's size and the median distance from it, or, if both are 0, the mean size.
    ///
    /// - Returns: 1 if all points are 0.
    static func scale(_ points: [Double]) -> Double {
        let median = percentile(0.5, of: points.sorted())
        let distance = percentile(0.5, of: points.map { ($0 - median).magnitude }.sorted())
        let typical = max(median.magnitude, distance)
        if typical > 0, typical.isFinite { return typical }
        let mean = points.reduce(0) { $0 + $1.magnitude / Double(points.count) }
        return mean > 0 && mean.isFinite ? mean : 1
    }
}
