// One JSON object a line; the fields are documented in docs/reference/progress-json.md.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "change_text.h"
#include "engine/load_figures.h"
#include "watching_display.h"

namespace wherry::app {
namespace {

using OrderedJson = nlohmann::ordered_json;

double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

OrderedJson error_json(const Error& error) {
  return {{"code", error.code},
          {"kind", name_of(error.kind)},
          {"message", error.to_paragraph()},
          {"native_code", error.native_code}};
}

OrderedJson names_json(const schema::TableRef& source, const schema::TableRef& target) {
  return {{"schema", source.schema},
          {"table", source.name},
          {"target_schema", target.schema},
          {"target_table", target.name}};
}

OrderedJson load_json(const engine::TableProgress& table) {
  const engine::TableState state = table.state;
  OrderedJson json = names_json(table.plan->source, table.plan->target);
  json["state"] = engine::name_of(state);
  json["rows"] = table.rows.load();
  json["refused_rows"] = table.refused_rows.load();
  json["truncated_values"] = table.truncated_values.load();
  if (const auto filtered = table.filtered_rows.load(); filtered != 0) {
    json["filtered_rows"] = filtered;
  }
  json["bytes"] = table.bytes.load();
  json["estimated_rows"] = table.plan->estimated_rows;
  json["elapsed_seconds"] = seconds_of(table.elapsed());
  json["wait_input_seconds"] = seconds_of(std::chrono::nanoseconds(table.wait_input_ns));
  json["wait_output_seconds"] = seconds_of(std::chrono::nanoseconds(table.wait_output_ns));
  json["chunks"] = table.chunks.load();
  json["chunks_done"] = table.chunks_done.load();
  if (const auto share = engine::share_of(table)) json["share"] = *share;
  if (state == engine::TableState::kTableError) json["error"] = error_json(*table.error);
  return json;
}

OrderedJson totals_json(const engine::LoadFigures& figures, double seconds) {
  OrderedJson json = {{"tables", figures.tables},
                      {"tables_done", figures.tables_done},
                      {"tables_in_error", figures.tables_in_error},
                      {"rows", figures.rows},
                      {"bytes", figures.bytes},
                      {"share", figures.share},
                      {"elapsed_seconds", seconds}};
  if (seconds > 0) {
    json["rows_per_second"] = static_cast<double>(figures.rows_now) / seconds;
    json["bytes_per_second"] = static_cast<double>(figures.bytes_now) / seconds;
  }
  if (figures.remaining_seconds) json["remaining_seconds"] = *figures.remaining_seconds;
  if (!figures.slowest.empty()) json["slowest"] = figures.slowest;
  return json;
}

OrderedJson finished_json(const control::FinishedTable& table) {
  OrderedJson json = names_json(table.source, table.target);
  json["state"] = engine::name_of(engine::TableState::kTableCompleted);
  json["rows"] = table.counts.rows;
  json["refused_rows"] = table.counts.refused_rows;
  json["truncated_values"] = table.counts.truncated_values;
  json["loaded_before"] = true;
  return json;
}

OrderedJson refused_json(const engine::RefusedTable& table) {
  return {{"schema", table.table.schema},
          {"table", table.table.name},
          {"state", engine::name_of(engine::TableState::kTableError)},
          {"error", error_json(table.error)}};
}

OrderedJson validation_json(const engine::TableValidation& table) {
  const engine::ValidationState state = table.state;
  OrderedJson json = names_json(table.plan->source, table.plan->target);
  json["state"] = engine::name_of(state);
  json["source_rows"] = table.source_rows.load();
  json["target_rows"] = table.target_rows.load();
  json["differences"] = table.differences.load();
  if (state == engine::ValidationState::kTableError) json["error"] = error_json(*table.error);
  return json;
}

OrderedJson event(const char* name, const OrderedJson& fields) {
  OrderedJson json = {{"event", name}};
  json.update(fields);
  return json;
}

OrderedJson reconnecting_json(const engine::Interruption& interruption) {
  const auto wait = interruption.next_try - std::chrono::steady_clock::now();
  return {{"event", "reconnecting"},
          {"side", interruption.side},
          {"try", interruption.tries},
          {"wait_seconds", std::max(0.0, seconds_of(wait))},
          {"cause", interruption.cause}};
}

class JsonLines final : public WatchingDisplay {
 public:
  ~JsonLines() override { stop_watching(); }

  void on_phase(const std::string& phase) override { emit({{"event", "state"}, {"phase", phase}}); }

  void on_interruption(const std::optional<engine::Interruption>& interruption) override {
    if (interruption) {
      emit(reconnecting_json(*interruption));
    } else {
      emit({{"event", "reconnected"}});
    }
  }

  void on_difference(const engine::Difference& d) override {
    OrderedJson json = {{"type", engine::name_of(d.kind)},
                        {"schema", d.table.schema},
                        {"table", d.table.name},
                        {"key", d.key}};
    if (!d.column.empty()) {
      json["column"] = d.column;
      json["source_value"] = d.source_value;
      json["target_value"] = d.target_value;
    }
    emit(event("difference", json));
  }

  void finish(const RunEnd& end) override {
    stop_watching();
    draw();
    if (changes_ != nullptr) tell_changes();
    OrderedJson last = {{"event", "end"}, {"status", end.status}, {"stop_reason", end.stop_reason}};
    if (end.load != nullptr) last["position"] = end.load->position.text;
    if (end.changes != nullptr) last["position"] = end.changes->position.text;
    if (end.validation != nullptr) last["position"] = end.validation->position.text;
    if (end.error != nullptr) last["error"] = error_json(*end.error);
    last["tables"] = tables(end);
    if (changes_ != nullptr) last["changes"] = changes_by_table();
    emit(last);
  }

 private:
  [[nodiscard]] OrderedJson tables(const RunEnd& end) const {
    OrderedJson all = OrderedJson::array();
    if (load_ != nullptr) {
      for (const engine::TableProgress& table : load_->tables()) all.push_back(load_json(table));
    }
    if (validation_ != nullptr) {
      for (const auto& table : validation_->tables()) all.push_back(validation_json(table));
    }
    if (end.load != nullptr) {
      for (const auto& table : end.load->finished_before) all.push_back(finished_json(table));
      for (const auto& table : end.load->refused) all.push_back(refused_json(table));
    }
    if (end.validation != nullptr) {
      for (const auto& table : end.validation->refused) all.push_back(refused_json(table));
      for (const schema::TableRef& view : end.validation->views) {
        all.push_back({{"schema", view.schema}, {"table", view.name}, {"state", "Not enabled"}});
      }
    }
    return all;
  }

  [[nodiscard]] OrderedJson changes_by_table() const {
    OrderedJson all = OrderedJson::array();
    for (const engine::TableApplyProgress* table : changes_->apply.tables()) {
      OrderedJson json = {{"schema", table->source.schema}, {"table", table->source.name}};
      json.update(table_changes_json(*table));
      if (table->is_suspended && table->error) json["error"] = error_json(*table->error);
      all.push_back(std::move(json));
    }
    return all;
  }

  void tell_changes() {
    emit(event("cdc", changes_json(*changes_, limiting_.next(changes_->apply))));
  }

  /// A name from a database may hold bytes that are no UTF-8: replaced, never thrown about.
  void emit(const OrderedJson& json) {
    print(json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  }

  /// A table is told when its state or its rows have changed.
  void draw() override {
    if (load_ != nullptr) {
      for (const engine::TableProgress& table : load_->tables()) {
        tell_changed(loads_[&table], {table.state, table.rows}, [&] { return load_json(table); });
      }
      tell_interruptions();
      if (changes_ == nullptr) tell_totals();
    }
    if (changes_ != nullptr && seconds() - told_changes_ >= kChangesInterval) {
      told_changes_ = seconds();
      tell_changes();
    }
    if (validation_ != nullptr) {
      for (const engine::TableValidation& table : validation_->tables()) {
        tell_changed(validations_[&table], {table.state, table.source_rows + table.target_rows},
                     [&] { return validation_json(table); });
      }
    }
  }

  void tell_interruptions() {
    const auto now = load_->interruptions();
    for (const auto& [worker, interruption] : now) {
      const auto shown = interruptions_.find(worker);
      if (shown != interruptions_.end() && shown->second == interruption.next_try) continue;
      emit(reconnecting_json(interruption));
    }
    for (const auto& [worker, next_try] : interruptions_) {
      if (!now.contains(worker)) emit({{"event", "reconnected"}});
    }
    interruptions_.clear();
    for (const auto& [worker, interruption] : now) interruptions_[worker] = interruption.next_try;
  }

  void tell_totals() {
    constexpr double kInterval = 1.0;
    if (seconds() - told_totals_ < kInterval) return;
    told_totals_ = seconds();
    const auto elapsed = std::chrono::duration<double>(told_totals_);
    emit(event("load", totals_json(engine::figures_of(*load_, elapsed), told_totals_)));
  }

  template <class State>
  struct Shown {
    State state{};  ///< what a table is in before anything happens
    std::uint64_t rows = 0;
  };

  template <class State, class MakeJson>
  void tell_changed(Shown<State>& shown, Shown<State> now, const MakeJson& make_json) {
    if (now.state == shown.state && now.rows == shown.rows) return;
    shown = now;
    emit(event("table", make_json()));
  }

  std::map<const engine::TableProgress*, Shown<engine::TableState>> loads_;
  std::map<const engine::TableValidation*, Shown<engine::ValidationState>> validations_;
  std::map<std::uint32_t, std::chrono::steady_clock::time_point> interruptions_;
  double told_totals_ = 0;
  static constexpr double kChangesInterval = 1.0;
  double told_changes_ = -kChangesInterval;
  LimitingStage limiting_;
};

}  // namespace

std::unique_ptr<Display> make_json_lines() {
  return std::make_unique<JsonLines>();
}

}  // namespace wherry::app
