// The database behind engine/session.h. Internal to the session files.
#pragma once

#include <mutex>
#include <set>

#include "engine/session.h"
#include "store/dictionary.h"
#include "store/store.h"

namespace orasim {

struct SessionState;

class DatabaseImpl final : public Database {
 public:
  DatabaseImpl(DatabaseOptions options, std::unique_ptr<Store> store)
      : options_(std::move(options)), store_(std::move(store)) {}
  std::unique_ptr<Session> connect(SessionIdentity identity) override;
  std::optional<UserInfo> find_user(std::string_view name) override;
  void ensure_user(std::string_view name, std::string_view password) override;
  void change_password(std::string_view name, std::string_view password) override;
  [[nodiscard]] const DatabaseOptions& options() const override { return options_; }
  [[nodiscard]] std::uint64_t current_scn() const override { return store_->current_scn(); }

  Store& store() { return *store_; }
  /// What V$SESSION shows.
  std::vector<SessionInfo> sessions();
  void set_end_to_end(SessionState& state, EndToEnd values);
  void add(const SessionState* state);
  void remove(const SessionState* state);

 private:
  DatabaseOptions options_;
  std::unique_ptr<Store> store_;
  std::mutex mutex_;
  std::set<const SessionState*> sessions_;
};

}  // namespace orasim
