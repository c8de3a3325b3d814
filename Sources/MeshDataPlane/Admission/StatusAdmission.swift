internal import GRPCServer
internal import MeshIdentity
internal import XDSServer

/// Lets proxies see their own status, by the token that they connect with, and the platform administrator everybody's.
struct StatusAdmission: ClientStatusDelegate {
    let admission: ProxyAdmission
    /// `nil`: nobody is platform administrator.
    let adminToken: AdminToken?

    func visibility(_ request: AdmissionRequest) throws(GRPCStatus) -> StatusVisibility {
        if let adminToken, let token = ProxyAdmission.token(request), adminToken.matches(token) {
            return .everything
        }
        return .own(proxy: ProxyName(try admission.claims(request)).text)
    }
}
