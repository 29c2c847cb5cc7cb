#include "control/apply_hold.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "core/durable_file.h"

namespace wherry::control {
namespace {

constexpr const char* kHoldLock = "hold.lock";
constexpr const char* kHoldRequest = "hold.request";
constexpr const char* kHoldAnswer = "hold.answer";
constexpr std::array<std::string_view, 2> kHoldNames = {"paused", "held"};

struct HoldMessage {
  std::string id;
  std::optional<connect::CommitOrder> order;
  std::string state;
};

/// nullopt: there is none, or none of ours.
std::optional<HoldMessage> read_message(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  const auto json = nlohmann::json::parse(file, nullptr, false);
  HoldMessage out;
  try {
    out.id = json.at("id").get<std::string>();
    if (json.contains("order")) out.order = json.at("order").get<connect::CommitOrder>();
    out.state = json.value("state", std::string());
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  return out;
}

void remove_quietly(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

std::string new_hold_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

/// Whoever asks holds the lock.
bool has_client(const std::filesystem::path& directory) {
  const int fd = ::open((directory / kHoldLock).c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_free = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  ::close(fd);
  return !is_free;
}

}  // namespace

HoldClient::HoldClient(std::filesystem::path directory, int lock_fd)
    : directory_(std::move(directory)), lock_fd_(lock_fd), id_(new_hold_id()) {}

Result<std::unique_ptr<HoldClient>> HoldClient::ask(const std::filesystem::path& directory) {
  const std::filesystem::path lock = directory / kHoldLock;
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return file_error(lock, errno, "lock");
  std::unique_ptr<HoldClient> client(new HoldClient(directory, fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return make_error(ErrorKind::kTransient, "validate.busy",
                      "another process has the running task hold its changes",
                      "It is a matter of seconds: try again");
  }
  WHERRY_TRY(client->write(std::nullopt));
  return client;
}

HoldClient::~HoldClient() {
  const auto request = read_message(directory_ / kHoldRequest);
  if (request && request->id == id_) remove_quietly(directory_ / kHoldRequest);
  ::close(lock_fd_);
}

Result<void> HoldClient::write(std::optional<connect::CommitOrder> order) {
  nlohmann::json json = {{"id", id_}};
  if (order) json["order"] = *order;
  return replace_file(directory_ / kHoldRequest, json.dump() + "\n");
}

Result<void> HoldClient::apply_up_to(connect::CommitOrder order) {
  return write(order);
}

std::optional<HoldState> HoldClient::answer() const {
  const auto message = read_message(directory_ / kHoldAnswer);
  if (!message || message->id != id_) return std::nullopt;
  if (message->state == kHoldNames[0]) return HoldState::kPaused;
  if (message->state == kHoldNames[1]) return HoldState::kHeld;
  return std::nullopt;
}

bool HoldServer::is_wanted() const {
  const auto request = read_message(directory_ / kHoldRequest);
  return request && request->id != done_ && has_client(directory_);
}

bool HoldServer::take() {
  const auto request = read_message(directory_ / kHoldRequest);
  if (!request || request->id == done_) return false;
  id_ = request->id;
  // Made for an earlier process of the task, which may be past that order by now.
  if (!request->order && is_wanted_still()) return true;
  done_ = std::exchange(id_, std::string());
  return false;
}

bool HoldServer::is_wanted_still() const {
  const auto request = read_message(directory_ / kHoldRequest);
  return request && request->id == id_ && has_client(directory_);
}

std::optional<connect::CommitOrder> HoldServer::order() const {
  const auto request = read_message(directory_ / kHoldRequest);
  return request && request->id == id_ ? request->order : std::nullopt;
}

Result<void> HoldServer::answer(HoldState state) {
  const nlohmann::json json = {{"id", id_}, {"state", kHoldNames[static_cast<std::size_t>(state)]}};
  return replace_file(directory_ / kHoldAnswer, json.dump() + "\n");
}

Result<void> HoldServer::end() {
  if (!id_.empty()) done_ = std::exchange(id_, std::string());
  std::error_code failure;
  std::filesystem::remove(directory_ / kHoldAnswer, failure);
  if (failure) return file_error(directory_ / kHoldAnswer, failure.value(), "remove");
  return {};
}

}  // namespace wherry::control
