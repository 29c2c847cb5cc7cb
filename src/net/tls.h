// TLS 1.2 and 1.3 as a client: which certificates to trust, what to show, and what the server
// showed. Chains are always verified; names are not, because Oracle has rules of its own for that
// (connect/oracle/certificate_name.h). Hides OpenSSL from everyone else.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/secret.h"

struct ssl_ctx_st;
struct ssl_st;

namespace wherry::net {

struct SslContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
struct TlsSessionDeleter {
  void operator()(ssl_st* session) const;
};
using TlsSessionPtr = std::unique_ptr<ssl_st, TlsSessionDeleter>;

enum class TlsVersion { kAny, kTls12, kTls13 };

struct TlsOptions {
  /// PEM file of trusted certificates, which may hold a client certificate and its key as well;
  /// empty: the system's trust store.
  std::string pem_file;
  Secret key_password;
  TlsVersion version = TlsVersion::kAny;
};

/// Immutable, thread-safe, cheap to copy.
class TlsContext {
 public:
  /// kConfig "net.tls_files" names the file that cannot be used.
  static Result<TlsContext> make(const TlsOptions& options);
  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

struct PeerCertificate {
  std::vector<std::pair<std::string, std::string>> subject;  ///< ("CN", "db1"), in order
  std::vector<std::string> dns_names;
  std::string subject_text;
};
PeerCertificate describe_peer(ssl_st* session);
/// OpenSSL's pending errors as one line, which empties them.
std::string tls_error_text();

}  // namespace wherry::net
