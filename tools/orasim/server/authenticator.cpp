#include "server/authenticator.h"

#include <cctype>
#include <utility>

#include "engine/error.h"

namespace orasim::server {

using wire::AuthRequest;
using wire::Challenge;
using wire::KeyValue;

namespace {

[[noreturn]] void deny() {
  throw OraError(1017, "invalid username/password; logon denied");
}

}  // namespace

std::string account_name(std::string_view typed) {
  if (typed.size() >= 2 && typed.front() == '"' && typed.back() == '"') {
    return std::string(typed.substr(1, typed.size() - 2));
  }
  std::string name(typed);
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::vector<KeyValue> Authenticator::challenge(std::string_view typed_user) {
  name_ = account_name(typed_user);
  account_ = database_.find_user(name_);
  key_.clear();
  challenge_.emplace(verifier_,
                     account_ ? account_->password : wire::to_hex(wire::random_bytes(16)),
                     wire::random_bytes);
  std::vector<KeyValue> pairs{
      {"AUTH_SESSKEY", challenge_->session_key_hex(), 0},
      {"AUTH_VFR_DATA", challenge_->salt_hex(), wire::verifier_number(verifier_)}};
  if (verifier_ != wire::Verifier::k11gPlain) {
    pairs.push_back({"AUTH_PBKDF2_CSK_SALT", challenge_->key_salt_hex(), 0});
    pairs.push_back({"AUTH_PBKDF2_VGEN_COUNT", std::to_string(Challenge::kVerifierRounds), 0});
    pairs.push_back({"AUTH_PBKDF2_SDER_COUNT", std::to_string(Challenge::kKeyRounds), 0});
  }
  // This key ends in a NUL.
  pairs.push_back({std::string("AUTH_GLOBALLY_UNIQUE_DBID\0", 26), wire::to_hex(kDatabaseId), 0});
  return pairs;
}

void Authenticator::resume(std::string name, wire::Bytes key) {
  name_ = std::move(name);
  account_ = database_.find_user(name_);
  key_ = std::move(key);
}

void Authenticator::check(const AuthRequest& request) {
  if (account_ && account_->locked) throw OraError(28000, "The account is locked.");
  const std::string* session_key = request.find("AUTH_SESSKEY");
  const std::string* password = request.find("AUTH_PASSWORD");
  if (password == nullptr) deny();
  if (session_key != nullptr) {
    if (!challenge_) deny();
    key_ = challenge_->combined_key(*session_key);
  }
  const std::optional<std::string> given = wire::decrypt_password(key_, *password);
  if (!account_ || !given || !wire::same_secret(*given, account_->password)) deny();
}

void Authenticator::renew(const AuthRequest& request) {
  const std::string* renewed = request.find("AUTH_NEWPASSWORD");
  if (renewed == nullptr) {
    if (account_->expired) throw OraError(28001, "the account has expired");
    return;
  }
  const std::optional<std::string> clear = wire::decrypt_password(key_, *renewed);
  if (!clear || clear->empty()) throw OraError(988, "missing or invalid password(s)");
  database_.change_password(name_, *clear);
  account_ = database_.find_user(name_);
}

}  // namespace orasim::server
