// Random transactions against a model: every state that the target commits is the model's, after
// exactly the transactions that its checkpoints name, whatever breaks and however many lanes.
#include "engine/changes/test_support.h"

namespace wherry::engine::changes_test {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}
bool chance(Random& random, int percent) {
  return below(random, 100) < static_cast<std::size_t>(percent);
}

/// Rows of all tables, as a source has them after some transactions, sorted.
using State = std::map<std::string, std::vector<Row>>;
/// … by a number that a row keeps as long as it lives, whatever its key is.
using NumberedRows = std::map<std::uint64_t, Row>;
using NumberedState = std::map<std::string, NumberedRows>;

struct ModelTable {
  TableDef definition;
  connect::RowShapePtr shape;
  bool has_other_key = false;  ///< column 1 is unique too
  bool has_key = true;
  int parent = -1;  ///< column 2 refers to the first column of that table
};

/// What happens to a source, row by row as its log has it.
class Model {
 public:
  Model(Random& random, ApplyWorld& world, bool has_foreign_keys)
      : random_(random), world_(world), has_foreign_keys_(has_foreign_keys) {
    add_table("PLAIN", false, true, -1);
    add_table("UNIQUE2", true, true, -1);
    add_table("KEYLESS", false, false, -1);
    add_table("PARENT", false, true, -1);
    add_table("CHILD", false, true, has_foreign_keys ? 3 : -1);
    states_.push_back(state_);
  }

  void transaction() {
    LoggedTransaction& made = world_.log.begin();
    done_.emplace_back();
    const std::size_t changes =
        chance(random_, 10) ? 0 : 1 + below(random_, chance(random_, 5) ? 60 : 6);
    for (std::size_t i = 0; i < changes; ++i) change(made);
    states_.push_back(state_);
  }

  /// The state after some of the transactions, in their order.
  [[nodiscard]] State after(const std::set<std::size_t>& applied) const {
    // Up to the first that is missing the model has been there itself.
    std::size_t whole = 0;
    while (applied.contains(whole)) ++whole;
    NumberedState reached = states_[whole];
    for (const std::size_t number : applied) {
      if (number < whole) continue;
      for (const Done& each : done_[number]) redo(each, reached);
    }
    State out;
    for (const auto& [name, rows] : reached) {
      for (const auto& [id, row] : rows) out[name].push_back(row);
      ApplyWorld::sort(out[name]);
    }
    return out;
  }

 private:
  /// What a transaction has done to one row: nothing: it was deleted.
  struct Done {
    std::string table;
    std::uint64_t number;
    bool is_new = false;
    std::optional<Row> row;
  };

  void add_table(const std::string& name, bool has_other_key, bool has_key, int parent) {
    TableDef definition = table(name, {column("ID", TypeKind::kInt64, !has_key), column("U"),
                                       column("R"), column("T", TypeKind::kText)});
    if (has_key) definition.keys.push_back({"PK", {"ID"}, true});
    if (has_other_key) definition.keys.push_back({"UK", {"U"}, false});
    world_.add(definition);
    const bool is_whole = !has_key || chance(random_, 30);
    tables_.push_back(
        {definition, world_.log.shape(definition, is_whole), has_other_key, has_key, parent});
    state_[name] = {};
    if (parent >= 0) {
      world_.target.add_foreign_key({definition.table,
                                     {"R"},
                                     tables_[static_cast<std::size_t>(parent)].definition.table,
                                     {"ID"}});
    }
  }

  NumberedRows& rows(const ModelTable& of) { return state_[of.definition.table.name]; }
  NumberedRows::iterator any_of(NumberedRows& rows) {
    return std::next(rows.begin(), static_cast<std::ptrdiff_t>(below(random_, rows.size())));
  }

  /// `instead`: the number of the row that it takes the place of.
  [[nodiscard]] bool fits(const ModelTable& of, const Row& row, std::uint64_t instead) {
    if (!of.has_key) return true;
    for (const auto& [number, other] : rows(of)) {
      if (number == instead) continue;
      if (other[0] == row[0]) return false;
      if (of.has_other_key && !row[1].is_null && other[1] == row[1]) return false;
    }
    return true;
  }
  [[nodiscard]] bool is_referred_to(const ModelTable& of, const Value& id) {
    for (const ModelTable& child : tables_) {
      if (child.parent < 0 || &tables_[static_cast<std::size_t>(child.parent)] != &of) continue;
      for (const auto& [number, row] : rows(child)) {
        if (row[2] == id) return true;
      }
    }
    return false;
  }
  Value random_reference(const ModelTable& of) {
    if (of.parent < 0) return Value::integer(static_cast<std::int64_t>(below(random_, 1000)));
    auto& parents = rows(tables_[static_cast<std::size_t>(of.parent)]);
    if (parents.empty() || chance(random_, 10)) return Value::null();
    return any_of(parents)->second[0];
  }
  Row random_row(const ModelTable& of) {
    const auto number = [&](std::size_t most) {
      return Value::integer(static_cast<std::int64_t>(below(random_, most)));
    };
    return {number(of.has_key ? 25 : 3),
            chance(random_, 20) ? Value::null() : number(of.has_key ? 25 : 2),
            of.has_key ? random_reference(of) : number(2),
            Value::text(std::string(below(random_, 12), 'x'))};
  }
  Image key_image(const ModelTable& of, const Row& row) const {
    if (of.shape->has_whole_before) return image(row);
    Image out(row.size());
    out[0] = row[0];
    return out;
  }

  void change(LoggedTransaction& made) {
    ModelTable& of = tables_[below(random_, tables_.size())];
    NumberedRows& all = rows(of);
    const std::size_t kind = below(random_, 100);
    if (kind < 40 || all.empty()) return insert(made, of);
    const auto at = any_of(all);
    if (kind < 60) return remove(made, of, at);
    if (kind < 61 && of.parent < 0 && !is_parent(of)) return truncate(made, of);
    if (kind < 70 && of.has_key) return move(made, of, at);
    if (kind < 73 && of.has_key && !is_parent(of)) return move_all_up(made, of);
    update(made, of, at);
  }
  [[nodiscard]] bool is_parent(const ModelTable& of) const {
    return has_foreign_keys_ && of.definition.table.name == "PARENT";
  }

  /// Every change of a row goes through here.
  void set(const ModelTable& of, std::uint64_t number, std::optional<Row> row) {
    NumberedRows& all = rows(of);
    done_.back().push_back({of.definition.table.name, number, !all.contains(number), row});
    if (row) {
      all[number] = *std::move(row);
    } else {
      all.erase(number);
    }
  }

  void insert(LoggedTransaction& made, const ModelTable& of) {
    const Row row = random_row(of);
    if (!fits(of, row, 0)) return;
    made.changes.push_back(inserted(of.shape, row));
    set(of, next_number_++, row);
  }
  void remove(LoggedTransaction& made, const ModelTable& of, NumberedRows::iterator at) {
    if (is_parent(of) && is_referred_to(of, at->second[0])) return;
    made.changes.push_back(deleted(of.shape, key_image(of, at->second)));
    set(of, at->first, std::nullopt);
  }
  void truncate(LoggedTransaction& made, const ModelTable& of) {
    made.changes.push_back({ChangeKind::kTruncate, of.shape, {}, {}, {}});
    while (!rows(of).empty()) set(of, rows(of).begin()->first, std::nullopt);
  }
  void update(LoggedTransaction& made, const ModelTable& of, NumberedRows::iterator at) {
    const Row& row = at->second;
    Row next = random_row(of);
    if (of.has_key) next[0] = row[0];
    const bool keeps_text = of.has_key && chance(random_, 40);
    if (keeps_text) next[3] = row[3];
    if (!fits(of, next, at->first)) return;
    Image after = image(next);
    if (keeps_text) after[3] = std::nullopt;
    std::optional<Image> before;
    if (of.shape->has_whole_before) before = image(row);
    made.changes.push_back(updated(of.shape, std::move(before), std::move(after)));
    set(of, at->first, next);
  }
  /// Another key for a row.
  void move(LoggedTransaction& made, const ModelTable& of, NumberedRows::iterator at) {
    const Row& row = at->second;
    Row next = row;
    next[0] = Value::integer(static_cast<std::int64_t>(below(random_, 25)));
    if (next[0] == row[0] || !fits(of, next, at->first)) return;
    if (is_parent(of) && is_referred_to(of, row[0])) return;
    made.changes.push_back(updated(of.shape, key_image(of, row), image(next)));
    set(of, at->first, next);
  }
  /// UPDATE … SET id = id + 1, in the order of the rows: unique at its end only.
  void move_all_up(LoggedTransaction& made, const ModelTable& of) {
    const NumberedRows old = rows(of);
    for (const auto& [number, row] : old) {
      Row next = row;
      ++next[0].i64;
      made.changes.push_back(updated(of.shape, key_image(of, row), image(next)));
      set(of, number, next);
    }
  }

  static void redo(const Done& done, NumberedState& state) {
    NumberedRows& rows = state[done.table];
    if (rows.contains(done.number) == done.is_new) {
      ADD_FAILURE() << "transactions out of order: a row of " << done.table
                    << (done.is_new ? " is there" : " is missing");
    }
    if (done.row) {
      rows[done.number] = *done.row;
    } else {
      rows.erase(done.number);
    }
  }

  Random& random_;
  ApplyWorld& world_;
  const bool has_foreign_keys_;
  std::vector<ModelTable> tables_;
  NumberedState state_;
  std::vector<NumberedState> states_;    ///< after so many transactions
  std::vector<std::vector<Done>> done_;  ///< by transaction
  std::uint64_t next_number_ = 1;
};

State state_of(const memory::Tables& tables) {
  State out;
  for (const auto& [name, table] : tables) {
    out[name.name] = table->rows;
    ApplyWorld::sort(out[name.name]);
  }
  return out;
}

/// Which transactions of the log the checkpoints say are applied; keys of the log are positions.
std::set<std::size_t> applied_at(const Log& log, const memory::ApplyState& state) {
  std::set<std::size_t> out;
  const auto task = state.checkpoints.find("task");
  if (task == state.checkpoints.end()) return out;
  connect::CommitPoint highest;
  for (const auto& [lane, checkpoint] : task->second) highest = std::max(highest, checkpoint.point);
  const auto number_of = [&](const connect::CommitPoint& point) {
    for (std::size_t i = 0; i < log.transactions.size(); ++i) {
      if (log.transactions[i].order == point.order) return i;
    }
    ADD_FAILURE() << "a checkpoint names a transaction that never was";
    return std::size_t{0};
  };
  for (std::size_t i = 0; i < log.transactions.size() && log.transactions[i].order <= highest.order;
       ++i) {
    out.insert(i);
  }
  for (const auto& [lane, checkpoint] : task->second) {
    for (const auto& point : checkpoint.applied_above) out.insert(number_of(point));
  }
  return out;
}

std::string text_of(const Row& row) {
  std::string out;
  for (const Value& value : row) {
    out += value.is_null ? " null"
                         : " " + (value.bytes.empty() ? std::to_string(value.i64) : value.bytes);
  }
  return out;
}

/// What is wrong with a version, and what its checkpoints say.
std::string difference(const std::vector<Row>& expected, const std::vector<Row>& found,
                       const memory::ApplyState& state) {
  std::string out;
  const auto add_missing = [&](const char* what, const auto& rows, const auto& others) {
    for (const Row& row : rows) {
      if (std::find(others.begin(), others.end(), row) == others.end()) {
        out += std::string(what) + text_of(row) + "\n";
      }
    }
  };
  add_missing("missing:", expected, found);
  add_missing("too many:", found, expected);
  for (const auto& [lane, checkpoint] : state.checkpoints.at("task")) {
    out += "lane " + std::to_string(lane) + ": " + std::to_string(checkpoint.point.order) +
           " and " + connect::to_text(checkpoint.applied_above) + "\n";
  }
  return out;
}

void expect_all_states(const ApplyWorld& world, const Model& model, std::uint64_t from_version) {
  for (std::uint64_t version = from_version; version <= world.target.version(); ++version) {
    const auto state = world.target.apply_state(version);
    const State expected = model.after(applied_at(world.log, *state));
    const State found = state_of(*world.target.as_of(version));
    for (const auto& [name, rows] : expected) {
      ASSERT_EQ(found.at(name) == rows, true) << "table " << name << " at version " << version
                                              << " of " << world.target.version() << "\n"
                                              << difference(rows, found.at(name), *state);
    }
  }
}

struct ModelCase {
  const char* name;
  std::vector<std::uint32_t> lanes;  ///< of one run after the other
  bool is_batch;
  bool has_foreign_keys;
  bool breaks;
};

class ApplyModel : public ::testing::TestWithParam<ModelCase> {};

void break_something(Random& random, ApplyWorld& world) {
  static constexpr Point kPoints[] = {Point::kBegin,       Point::kApply,   Point::kMark,
                                      Point::kApplyCommit, Point::kApplied, Point::kRecover,
                                      Point::kFlush};
  world.target.faults().add(
      {kPoints[below(random, std::size(kPoints))], "", 0, 1, memory::cut_error()});
}

TEST_P(ApplyModel, EveryCommittedStateIsOneOfTheSource) {
  const ModelCase& with = GetParam();
  const char* rounds = std::getenv("WHERRY_MODEL_ROUNDS");
  const int count = rounds != nullptr ? std::atoi(rounds) : 6;
  for (int round = 0; round < count; ++round) {
    const std::uint64_t seed = 1000 * static_cast<std::uint64_t>(round) + 7;
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    ApplyWorld world;
    Model model(random, world, with.has_foreign_keys);
    const std::uint64_t first_version = world.target.version();
    world.options.is_batch = with.is_batch;
    world.options.batch_shortest = std::chrono::milliseconds(0);
    std::size_t run = 0;
    while (world.log.transactions.size() < 120) {
      const std::size_t more = 1 + below(random, 60);
      for (std::size_t i = 0; i < more; ++i) model.transaction();
      world.options.lanes = with.lanes[run++ % with.lanes.size()];
      world.options.least_changes = static_cast<std::uint32_t>(1 + below(random, 200));
      world.options.memory_bytes = chance(random, 30) ? 16'000 : 64'000'000;
      LogFeed feed(world.log);
      const std::size_t most = 1 + below(random, 300);
      feed.batch_changes = [&] { return 1 + below(random, most); };
      if (with.breaks) {
        feed.on_next = [&] {
          if (chance(random, 3)) break_something(random, world);
          if (chance(random, 2)) world.stop.request_stop();
        };
      }
      const auto done = world.run(feed, world.log.end());
      ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
      world.stop = std::stop_source();
    }
    ASSERT_TRUE(world.run().ok());
    EXPECT_TRUE(world.events.exceptions.empty())
        << world.events.exceptions[0].statement << "; " << world.events.exceptions[0].error;
    EXPECT_TRUE(world.events.suspended.empty());
    EXPECT_EQ(world.progress->pending_changes(), 0U);
    expect_all_states(world, model, first_version);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
}

std::string name_of_case(const ::testing::TestParamInfo<ModelCase>& made) {
  return made.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, ApplyModel,
    ::testing::Values(ModelCase{"OneLane", {1}, false, false, false},
                      ModelCase{"OneLaneBreaking", {1}, false, false, true},
                      ModelCase{"TwoLanesBreaking", {2}, false, false, true},
                      ModelCase{"EightLanes", {8}, false, false, false},
                      ModelCase{"EightLanesBreaking", {8}, false, false, true},
                      ModelCase{"LanesThatChange", {4, 1, 8, 2}, false, true, true},
                      ModelCase{"EightLanesWithForeignKeys", {8}, false, true, false},
                      ModelCase{"Batch", {1}, true, false, true},
                      ModelCase{"BatchWithForeignKeys", {1}, true, true, true},
                      ModelCase{"OneLaneWithForeignKeys", {1}, false, true, true}),
    name_of_case);

TEST(ApplyModel, AnyNumberOfLanesEndsInTheSameState) {
  std::vector<State> ends;
  for (const std::uint32_t lanes : {1U, 2U, 8U, 0U}) {
    Random random(42);
    ApplyWorld world;
    Model model(random, world, false);
    for (int i = 0; i < 200; ++i) model.transaction();
    world.options.is_batch = lanes == 0;
    world.options.batch_shortest = std::chrono::milliseconds(0);
    world.options.lanes = std::max(lanes, 1U);
    ASSERT_TRUE(world.run().ok());
    ends.push_back(state_of(*world.target.as_of(world.target.version())));
  }
  for (const State& end : ends) EXPECT_EQ(end == ends[0], true);
}

}  // namespace
}  // namespace wherry::engine::changes_test
