#include "exec/database.h"

#include "engine/containers.h"
#include "exec/session_state.h"
#include "store/ddl.h"

namespace orasim {
namespace {

class SessionImpl final : public Session {
 public:
  SessionImpl(DatabaseImpl& database, SessionIdentity identity) {
    state_.database = &database;
    state_.store = &database.store();
    state_.current_schema = identity.user;
    if (!database.options().root_service.empty()) {
      state_.container = identity.at_root ? containers::kRoot : containers::kPluggable;
    }
    state_.identity = std::move(identity);
    state_.begin();
    database.add(&state_);
  }
  ~SessionImpl() override {
    state_.database->remove(&state_);
    state_.transaction->rollback();
  }

  std::unique_ptr<Statement> prepare(std::string_view sql) override {
    return make_statement(std::string(sql), state_);
  }
  void commit() override { state_.commit(); }
  void rollback() override { state_.rollback(); }
  [[nodiscard]] bool in_transaction() const override { return state_.transaction->is_open(); }
  void change_lob(const Lob& given, const std::function<Lob(const Lob&)>& change) override {
    state_.locked_lobs.change(given, change, *state_.store, *state_.transaction);
  }
  void begin_call() override {
    state_.cancelled = false;
    state_.is_active = true;
  }
  void end_call() override { state_.is_active = false; }
  void cancel() override { state_.cancelled = true; }
  [[nodiscard]] const SessionIdentity& identity() const override { return state_.identity; }
  std::string directory_path(std::string_view name) override {
    const auto catalog = state_.store->catalog();
    const auto directory = catalog->find_code("SYS", name, "DIRECTORY");
    if (directory == nullptr) {
      throw OraError(22285, "non-existent directory or file for FILEOPEN operation");
    }
    const Access access(*catalog, state_.identity.user);
    const bool may_read = access.has_system("CREATE ANY DIRECTORY") ||
                          access.may(ObjectKind::kDirectory, "SYS", directory->name, "READ");
    if (!may_read) {
      throw OraError(22286,
                     "insufficient privileges on file or directory to perform FILEOPEN "
                     "operation");
    }
    return directory->text;
  }
  void set_current_schema(std::string_view schema) override {
    state_.current_schema = std::string(schema);
  }
  [[nodiscard]] const EndToEnd& end_to_end() const override { return state_.end_to_end; }
  void set_end_to_end(EndToEnd values) override {
    state_.database->set_end_to_end(state_, std::move(values));
  }

 private:
  SessionState state_;
};

}  // namespace

std::unique_ptr<Database> Database::open(const DatabaseOptions& options) {
  return std::make_unique<DatabaseImpl>(options, Store::open(options.data_dir));
}

std::unique_ptr<Session> DatabaseImpl::connect(SessionIdentity identity) {
  return std::make_unique<SessionImpl>(*this, std::move(identity));
}

std::optional<UserInfo> DatabaseImpl::find_user(std::string_view name) {
  const auto catalog = store_->catalog();
  const auto found = catalog->users.find(std::string(name));
  if (found == catalog->users.end()) return std::nullopt;
  const UserDef& user = *found->second;
  const bool logs_in = Access(*catalog, user.name).has_system("CREATE SESSION");
  return UserInfo{user.name, user.password, user.locked, user.expired, logs_in};
}

void DatabaseImpl::ensure_user(std::string_view name, std::string_view password) {
  if (find_user(name)) {
    change_password(name, password);
  } else {
    UserDef user;
    user.name = std::string(name);
    user.password = std::string(password);
    store_->change_catalog([&](Catalog& c) { ddl::create_user(c, user); });
  }
  store_->change_catalog([&](Catalog& c) {
    privileges::grant_role(c, std::string(name), {"DBA", false});
  });
}

void DatabaseImpl::change_password(std::string_view name, std::string_view password) {
  store_->change_catalog([&](Catalog& c) {
    const auto found = c.users.find(std::string(name));
    if (found == c.users.end())
      throw OraError(1918, "user '" + std::string(name) + "' does not exist");
    UserDef user = *found->second;
    user.password = std::string(password);
    user.expired = false;
    ddl::alter_user(c, user);
  });
}

std::vector<SessionInfo> DatabaseImpl::sessions() {
  std::lock_guard lock(mutex_);
  std::vector<SessionInfo> out;
  for (const SessionState* state : sessions_) {
    SessionInfo info;
    const SessionIdentity& id = state->identity;
    info.session_id = id.session_id;
    info.serial_number = id.serial_number;
    info.user = id.user;
    info.status = state->is_active ? "ACTIVE" : "INACTIVE";
    info.program = id.program;
    info.machine = id.machine;
    info.os_user = id.os_user;
    info.terminal = id.terminal;
    info.process = id.process;
    info.module = state->end_to_end.module;
    info.action = state->end_to_end.action;
    info.client_identifier = state->end_to_end.client_identifier;
    info.client_info = state->end_to_end.client_info;
    out.push_back(std::move(info));
  }
  return out;
}

void DatabaseImpl::set_end_to_end(SessionState& state, EndToEnd values) {
  std::lock_guard lock(mutex_);
  state.end_to_end = std::move(values);
}

void DatabaseImpl::add(const SessionState* state) {
  std::lock_guard lock(mutex_);
  sessions_.insert(state);
}

void DatabaseImpl::remove(const SessionState* state) {
  std::lock_guard lock(mutex_);
  sessions_.erase(state);
}

}  // namespace orasim
