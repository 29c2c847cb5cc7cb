// The server's side of one password check: challenge, proof, change of password. Used at log-in and
// by sessions that change their password.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session.h"
#include "server/options.h"
#include "wire/auth.h"
#include "wire/o5logon.h"

namespace orasim::server {

/// Unquoted names are upper case; a quoted one is taken as it is.
std::string account_name(std::string_view typed);

class Authenticator {
 public:
  Authenticator(wire::Verifier verifier, Database& database)
      : verifier_(verifier), database_(database) {}

  /// Pairs of the phase one reply. Unknown users get a challenge too; it just cannot be met.
  std::vector<wire::KeyValue> challenge(std::string_view typed_user);
  /// Checks AUTH_PASSWORD; throws OraError 28000 or 1017. Afterwards key() is the combined key.
  void check(const wire::AuthRequest&);
  /// Sets AUTH_NEWPASSWORD when it was sent; an expired account needs it (28001).
  void renew(const wire::AuthRequest&);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const UserInfo& account() const { return *account_; }  ///< REQUIRES: checked
  [[nodiscard]] const wire::Bytes& key() const { return key_; }
  /// Goes on with the key of an earlier log-in of that user.
  void resume(std::string name, wire::Bytes key);

 private:
  wire::Verifier verifier_;
  Database& database_;
  std::string name_;
  std::optional<UserInfo> account_;
  std::optional<wire::Challenge> challenge_;
  wire::Bytes key_;
};

}  // namespace orasim::server
