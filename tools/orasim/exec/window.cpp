#include "exec/window.h"

#include <algorithm>
#include <unordered_map>

#include "exec/binder.h"

namespace orasim {

using ast::FrameBound;

Frame frame_of(const KeptRow& kept, const Frame* outer, ExecContext& context) {
  Frame f;
  f.row = &kept.row;
  f.outer = outer;
  f.context = &context;
  f.rownum = kept.rownum;
  f.level = kept.level;
  f.prior = kept.prior;
  f.tree = kept.tree.get();
  return f;
}

bool is_analytic_name(const std::string& name) {
  static constexpr std::string_view kOnlyAnalytic[] = {
      "ROW_NUMBER", "RANK", "DENSE_RANK",  "PERCENT_RANK", "CUME_DIST", "NTILE",
      "LAG",        "LEAD", "FIRST_VALUE", "LAST_VALUE",   "NTH_VALUE", "RATIO_TO_REPORT"};
  return is_aggregate_name(name) || std::find(std::begin(kOnlyAnalytic), std::end(kOnlyAnalytic),
                                              name) != std::end(kOnlyAnalytic);
}

DataType result_type(const Analytic& a) {
  const std::string& name = a.call.name;
  if (name == "LAG" || name == "LEAD" || name.ends_with("_VALUE")) return a.call.argument_type;
  return is_aggregate_name(name) ? result_type(a.call) : plain_number();
}

namespace {

/// One analytic call over the rows of one partition, in their order.
class Partition {
 public:
  Partition(const Analytic& call, std::vector<KeptRow*> rows, const Frame* outer,
            ExecContext& context)
      : call_(call), rows_(std::move(rows)), outer_(outer), context_(context) {
    sort();
  }

  void compute(std::size_t slot) {
    std::vector<Value> results(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      context_.check_cancel();
      results[i] = value(i);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i]->row[slot] = std::move(results[i]);
  }

 private:
  [[nodiscard]] Frame frame(std::size_t i) const { return frame_of(*rows_[i], outer_, context_); }
  [[nodiscard]] const ConvertContext& convert() const { return context_.convert(); }
  [[nodiscard]] Value argument(std::size_t k, std::size_t i) const {
    return call_.arguments[k](frame(i));
  }
  [[nodiscard]] std::int64_t integer(const Eval& eval, std::size_t i,
                                     std::int64_t otherwise) const {
    const Value v = eval(frame(i));
    if (v.is_null()) return otherwise;
    return to_number(v, convert()).number().truncated(0).to_int().value_or(otherwise);
  }
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(rows_.size()); }

  void sort() {
    std::vector<std::pair<Row, KeptRow*>> keyed;
    keyed.reserve(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i)
      keyed.emplace_back(key_values(call_.order, frame(i)), rows_[i]);
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
      return compare_keys(call_.order, a.first, b.first, convert()) < 0;
    });
    for (std::size_t i = 0; i < keyed.size(); ++i) {
      rows_[i] = keyed[i].second;
      const bool is_peer =
          i > 0 && compare_keys(call_.order, keyed[i - 1].first, keyed[i].first, convert()) == 0;
      if (!is_peer) peers_.push_back(i);
      group_.push_back(peers_.size() - 1);
    }
    peers_.push_back(rows_.size());
    for (auto& [keys, row] : keyed) keys_.push_back(std::move(keys));
  }

  [[nodiscard]] std::size_t peers_begin(std::size_t i) const { return peers_[group_[i]]; }
  [[nodiscard]] std::size_t peers_end(std::size_t i) const { return peers_[group_[i] + 1]; }

  Value value(std::size_t i) {
    const std::string& name = call_.call.name;
    if (name == "ROW_NUMBER") return make_int(static_cast<std::int64_t>(i) + 1);
    if (name == "RANK") return make_int(static_cast<std::int64_t>(peers_begin(i)) + 1);
    if (name == "DENSE_RANK") return make_int(static_cast<std::int64_t>(group_[i]) + 1);
    if (name == "PERCENT_RANK")
      return ratio(static_cast<std::int64_t>(peers_begin(i)), count() - 1);
    if (name == "CUME_DIST") return ratio(static_cast<std::int64_t>(peers_end(i)), count());
    if (name == "NTILE") return ntile(i);
    if (name == "LAG" || name == "LEAD") return shifted(i, name == "LAG" ? -1 : 1);
    if (name == "RATIO_TO_REPORT") return share(i);
    if (name.ends_with("_VALUE") && name != "ANY_VALUE") return nth_value(i);
    return aggregate(i);
  }

  [[nodiscard]] Value ratio(std::int64_t part, std::int64_t whole) const {
    return whole <= 0 ? make_int(0) : arithmetic('/', make_int(part), make_int(whole), convert());
  }

  [[nodiscard]] Value ntile(std::size_t i) const {
    const std::int64_t buckets = std::max<std::int64_t>(1, integer(call_.arguments[0], i, 1));
    const std::int64_t small = count() / buckets;
    const std::int64_t large = count() % buckets;  // so many buckets hold one row more
    const auto at = static_cast<std::int64_t>(i);
    if (at < large * (small + 1)) return make_int(at / (small + 1) + 1);
    return make_int(large + (at - large * (small + 1)) / small + 1);
  }

  [[nodiscard]] Value shifted(std::size_t i, std::int64_t direction) const {
    std::int64_t wanted = call_.arguments.size() > 1 ? integer(call_.arguments[1], i, 1) : 1;
    auto at = static_cast<std::int64_t>(i);
    if (!call_.ignore_nulls) {
      at += direction * wanted;
    } else {
      while (wanted > 0) {
        at += direction;
        if (at < 0 || at >= count()) break;
        if (!argument(0, static_cast<std::size_t>(at)).is_null()) --wanted;
      }
    }
    if (at >= 0 && at < count()) return argument(0, static_cast<std::size_t>(at));
    return call_.arguments.size() > 2 ? argument(2, i) : make_null(call_.call.argument_type.type);
  }

  Value share(std::size_t i) {
    if (!total_) {
      Aggregate sum = call_.call;
      sum.name = "SUM";
      auto accumulator = make_accumulator(sum);
      for (std::size_t k = 0; k < rows_.size(); ++k) accumulator->add(frame(k));
      total_ = accumulator->result(convert());
    }
    return arithmetic('/', argument(0, i), *total_, convert());
  }

  struct Range {
    std::size_t begin = 0, end = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };

  [[nodiscard]] Range range(std::size_t i) const {
    if (!call_.has_frame) return {0, call_.order.empty() ? rows_.size() : peers_end(i)};
    Range r{edge(i, call_.from, call_.from_offset, false),
            edge(i, call_.to, call_.to_offset, true)};
    r.end = std::max(r.begin, r.end);
    return r;
  }

  /// Begin of the frame, or (`is_end`) the place behind its last row.
  [[nodiscard]] std::size_t edge(std::size_t i, FrameBound bound, const Eval& offset,
                                 bool is_end) const {
    switch (bound) {
      case FrameBound::kUnboundedPreceding:
        return 0;
      case FrameBound::kUnboundedFollowing:
        return rows_.size();
      case FrameBound::kCurrentRow:
        if (call_.rows) return is_end ? i + 1 : i;
        return is_end ? peers_end(i) : peers_begin(i);
      default:
        break;
    }
    const bool preceding = bound == FrameBound::kPreceding;
    if (!call_.rows) return range_edge(i, offset, preceding, is_end);
    const std::int64_t shift = integer(offset, i, 0) * (preceding ? -1 : 1) + (is_end ? 1 : 0);
    const std::int64_t at = static_cast<std::int64_t>(i) + shift;
    return static_cast<std::size_t>(std::clamp<std::int64_t>(at, 0, count()));
  }

  /// RANGE n PRECEDING | FOLLOWING: by the distance of the one sort key.
  [[nodiscard]] std::size_t range_edge(std::size_t i, const Eval& offset, bool preceding,
                                       bool is_end) const {
    if (call_.order.size() != 1) raise(30486);
    const Value& here = keys_[i][0];
    if (here.is_null()) return is_end ? peers_end(i) : peers_begin(i);
    const bool down = preceding != call_.order[0].descending;
    Row limit = {arithmetic(down ? '-' : '+', here, offset(frame(i)), convert())};
    const auto before = [&](const Row& keys) {
      const int order = compare_keys(call_.order, keys, limit, convert());
      return is_end ? order <= 0 : order < 0;
    };
    return static_cast<std::size_t>(std::partition_point(keys_.begin(), keys_.end(), before) -
                                    keys_.begin());
  }

  [[nodiscard]] Value nth_value(std::size_t i) const {
    const Range r = range(i);
    const bool last = call_.call.name == "LAST_VALUE";
    std::int64_t wanted = call_.call.name == "NTH_VALUE" ? integer(call_.arguments[1], i, 1) : 1;
    for (std::size_t k = r.begin; k < r.end; ++k) {
      Value v = argument(0, last ? r.end - 1 - (k - r.begin) : k);
      if (call_.ignore_nulls && v.is_null()) continue;
      if (--wanted == 0) return v;
    }
    return make_null(call_.call.argument_type.type);
  }

  /// A frame that only grows is summed up once.
  Value aggregate(std::size_t i) {
    const Range r = range(i);
    const bool grows = accumulator_ && r.begin == done_.begin && r.end >= done_.end;
    if (!grows) {
      accumulator_ = make_accumulator(call_.call);
      done_ = {r.begin, r.begin};
    } else if (done_ == r) {
      return kept_;
    }
    for (; done_.end < r.end; ++done_.end) accumulator_->add(frame(done_.end));
    kept_ = accumulator_->result(convert());
    return kept_;
  }

  const Analytic& call_;
  std::vector<KeptRow*> rows_;
  const Frame* outer_;
  ExecContext& context_;
  std::vector<Row> keys_;
  std::vector<std::size_t> peers_;  ///< where each group of equal keys begins, then the end
  std::vector<std::size_t> group_;
  std::optional<Value> total_;
  std::unique_ptr<Accumulator> accumulator_;
  Range done_;
  Value kept_;
};

}  // namespace

void compute_analytics(const std::vector<Analytic>& calls, std::size_t base,
                       std::vector<KeptRow>& rows, const Frame* outer, ExecContext& context) {
  for (std::size_t k = 0; k < calls.size(); ++k) {
    std::unordered_map<std::string, std::vector<KeptRow*>> partitions;
    for (KeptRow& kept : rows) {
      const Frame f = frame_of(kept, outer, context);
      std::string key;
      for (const Eval& eval : calls[k].partition) key += value_key(eval(f));
      partitions[key].push_back(&kept);
    }
    for (auto& [key, part] : partitions)
      Partition(calls[k], std::move(part), outer, context).compute(base + k);
  }
}

}  // namespace orasim
