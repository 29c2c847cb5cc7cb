#include "engine/changes/rekey_order.h"

#include <algorithm>
#include <unordered_map>

#include "engine/changes/key_hash.h"

namespace wherry::engine {
namespace {

class RekeyOrder {
 public:
  RekeyOrder(const Window& window, std::span<const std::uint32_t> changes)
      : window_(window), changes_(changes), states_(changes.size(), State::kNew) {
    for (std::size_t i = 0; i < changes.size(); ++i) by_before_.emplace(key(i, false), i);
  }
  std::vector<std::vector<std::uint32_t>> groups() {
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (states_[i] == State::kNew) follow(i);
    }
    return std::move(groups_);
  }

 private:
  enum class State : std::uint8_t { kNew, kOnPath, kDone };
  [[nodiscard]] std::uint64_t key(std::size_t i, bool is_after) const {
    const WindowChange& change = window_.changes()[changes_[i]];
    std::uint64_t hash = 0;
    for (const std::size_t c : change.table->identity()) {
      const bool stays = is_after && change.after[c].state == CellState::kUnchanged;
      hash = hash_key_cell(hash, (is_after && !stays ? change.after : change.before)[c]);
    }
    return hash;
  }

  void follow(std::size_t start) {
    std::vector<std::size_t> path;
    std::size_t at = start;
    for (;;) {
      states_[at] = State::kOnPath;
      path.push_back(at);
      const auto next = by_before_.find(key(at, true));
      if (next == by_before_.end() || states_[next->second] == State::kDone) break;
      if (states_[next->second] == State::kOnPath) {
        close_circle(path, next->second);
        break;
      }
      at = next->second;
    }
    for (auto i = path.rbegin(); i != path.rend(); ++i) {
      states_[*i] = State::kDone;
      groups_.push_back({changes_[*i]});
    }
  }
  void close_circle(std::vector<std::size_t>& path, std::size_t first) {
    std::vector<std::uint32_t> circle;
    const auto begin = std::find(path.begin(), path.end(), first);
    for (auto i = begin; i != path.end(); ++i) {
      states_[*i] = State::kDone;
      circle.push_back(changes_[*i]);
    }
    std::sort(circle.begin(), circle.end());
    path.erase(begin, path.end());
    groups_.push_back(std::move(circle));
  }

  const Window& window_;
  const std::span<const std::uint32_t> changes_;
  std::vector<State> states_;
  std::unordered_map<std::uint64_t, std::size_t> by_before_;
  std::vector<std::vector<std::uint32_t>> groups_;
};

}  // namespace

std::vector<std::vector<std::uint32_t>> rekey_groups(const Window& window,
                                                     std::span<const std::uint32_t> changes) {
  return RekeyOrder(window, changes).groups();
}

}  // namespace wherry::engine
