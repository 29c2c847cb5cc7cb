#include "exec/aggregate.h"

#include <algorithm>
#include <unordered_set>

#include "exec/binder.h"

namespace orasim {

int compare_keys(const std::vector<SortKey>& keys, const Row& a, const Row& b,
                 const ConvertContext& c) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (a[i].is_null() || b[i].is_null()) {
      if (a[i].is_null() == b[i].is_null()) continue;
      return a[i].is_null() == keys[i].nulls_first ? -1 : 1;
    }
    const auto order = compare(a[i], b[i], c);
    if (order != 0) return (order < 0) != keys[i].descending ? -1 : 1;
  }
  return 0;
}

Row key_values(const std::vector<SortKey>& keys, const Frame& f) {
  Row out;
  out.reserve(keys.size());
  for (const SortKey& key : keys) out.push_back(key.eval(f));
  return out;
}

DataType result_type(const Aggregate& a) {
  if (a.name == "MIN" || a.name == "MAX" || a.name == "ANY_VALUE") return a.argument_type;
  if (a.name == "LISTAGG") return text_type(Type::kVarchar2, 4000, false, false);
  if (a.name == "SUM" && a.argument_type.type == Type::kIntervalDs) return a.argument_type;
  if (a.name == "MEDIAN" && is_datetime(a.argument_type.type)) return a.argument_type;
  const bool binary =
      a.argument_type.type == Type::kBinaryDouble || a.argument_type.type == Type::kBinaryFloat;
  return a.name != "COUNT" && binary ? simple_type(Type::kBinaryDouble) : plain_number();
}

namespace {

class CountOf final : public Accumulator {
 public:
  explicit CountOf(const Aggregate& call) : call_(call) {}
  void add(const Frame& f) override {
    if (call_.star || !call_.argument(f).is_null()) ++count_;
  }
  [[nodiscard]] Value result(const ConvertContext&) const override { return make_int(count_); }

 private:
  const Aggregate& call_;
  std::int64_t count_ = 0;
};

/// SUM and AVG.
class SumOf final : public Accumulator {
 public:
  explicit SumOf(const Aggregate& call) : call_(call) {}
  void add(const Frame& f) override {
    Value v = call_.argument(f);
    if (v.is_null()) return;
    const ConvertContext& c = f.context->convert();
    if (is_datetime(v.type)) raise_inconsistent("NUMBER", type_word(v.type), call_.position);
    if (is_text(v.type)) v = to_number(v, c);
    sum_ = count_ == 0 ? std::move(v) : arithmetic('+', sum_, v, c);
    ++count_;
  }
  [[nodiscard]] Value result(const ConvertContext& c) const override {
    if (count_ == 0) return make_null(result_type(call_).type);
    return call_.name == "SUM" ? sum_ : arithmetic('/', sum_, make_int(count_), c);
  }

 private:
  const Aggregate& call_;
  Value sum_;
  std::int64_t count_ = 0;
};

/// MIN, MAX and ANY_VALUE.
class ExtremeOf final : public Accumulator {
 public:
  explicit ExtremeOf(const Aggregate& call) : call_(call), max_(call.name == "MAX") {}
  void add(const Frame& f) override {
    Value v = call_.argument(f);
    if (v.is_null()) return;
    if (is_lob(v.type)) raise_inconsistent("-", type_word(v.type), call_.position);
    if (!best_.is_null()) {
      if (call_.name == "ANY_VALUE") return;
      const auto order = compare(v, best_, f.context->convert());
      if (max_ ? order <= 0 : order >= 0) return;
    }
    best_ = std::move(v);
  }
  [[nodiscard]] Value result(const ConvertContext&) const override {
    return best_.is_null() ? make_null(result_type(call_).type) : best_;
  }

 private:
  const Aggregate& call_;
  bool max_;
  Value best_;
};

/// VARIANCE, STDDEV and their kin: sums of the values and of their squares.
class DeviationOf final : public Accumulator {
 public:
  explicit DeviationOf(const Aggregate& call) : call_(call) {}
  void add(const Frame& f) override {
    const Value v = to_number(call_.argument(f), f.context->convert());
    if (v.is_null()) return;
    const ConvertContext& c = f.context->convert();
    const Value square = arithmetic('*', v, v, c);
    sum_ = count_ == 0 ? v : arithmetic('+', sum_, v, c);
    squares_ = count_ == 0 ? square : arithmetic('+', squares_, square, c);
    ++count_;
  }
  [[nodiscard]] Value result(const ConvertContext& c) const override {
    const bool population = call_.name.find("_POP") != std::string::npos;
    const bool sample = call_.name.find("_SAMP") != std::string::npos;
    if (count_ == 0 || (count_ == 1 && sample)) return make_null(Type::kNumber);
    if (count_ == 1) return make_int(0);
    const Value n = make_int(count_);
    const Value mean_square = arithmetic('/', arithmetic('*', sum_, sum_, c), n, c);
    const Value variance = arithmetic('/', arithmetic('-', squares_, mean_square, c),
                                      make_int(population ? count_ : count_ - 1), c);
    if (call_.name[0] != 'S') return variance;
    FunctionContext functions;
    functions.convert = c;
    return find_function("SQRT")->call({variance}, functions);
  }

 private:
  const Aggregate& call_;
  Value sum_, squares_;
  std::int64_t count_ = 0;
};

/// Keeps all values: LISTAGG and MEDIAN.
class ListOf final : public Accumulator {
 public:
  explicit ListOf(const Aggregate& call) : call_(call) {}
  void add(const Frame& f) override {
    Value v = call_.argument(f);
    if (v.is_null()) return;
    if (items_.empty() && call_.second) {
      const Value s = call_.second(f);
      if (!s.is_null()) separator_ = std::string(text_of(s));
    }
    items_.push_back({key_values(call_.order, f), std::move(v)});
  }
  [[nodiscard]] Value result(const ConvertContext& c) const override {
    if (items_.empty()) return make_null(result_type(call_).type);
    std::vector<const Item*> sorted;
    for (const Item& item : items_) sorted.push_back(&item);
    const bool median = call_.name == "MEDIAN";
    std::stable_sort(sorted.begin(), sorted.end(), [&](const Item* a, const Item* b) {
      return median ? compare(a->value, b->value, c) < 0
                    : compare_keys(call_.order, a->keys, b->keys, c) < 0;
    });
    return median ? middle(sorted, c) : joined(sorted, c);
  }

 private:
  struct Item {
    Row keys;
    Value value;
  };
  static Value middle(const std::vector<const Item*>& sorted, const ConvertContext& c) {
    const std::size_t n = sorted.size();
    const Value& upper = sorted[n / 2]->value;
    if (n % 2 == 1) return upper;
    const Value& lower = sorted[n / 2 - 1]->value;
    const Value half = arithmetic('/', arithmetic('-', upper, lower, c), make_int(2), c);
    return arithmetic('+', lower, half, c);
  }
  Value joined(const std::vector<const Item*>& sorted, const ConvertContext& c) const {
    std::string out;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (i != 0) out += separator_;
      out += text_of(to_varchar(sorted[i]->value, c));
      if (out.size() > 4000) raise(1489);
    }
    return make_text(std::move(out));
  }

  const Aggregate& call_;
  std::string separator_;
  std::vector<Item> items_;
};

/// f (DISTINCT x): passes each value on once.
class DistinctOf final : public Accumulator {
 public:
  DistinctOf(const Aggregate& call, std::unique_ptr<Accumulator> inner)
      : call_(call), inner_(std::move(inner)) {}
  void add(const Frame& f) override {
    if (seen_.insert(value_key(call_.argument(f))).second) inner_->add(f);
  }
  [[nodiscard]] Value result(const ConvertContext& c) const override { return inner_->result(c); }

 private:
  const Aggregate& call_;
  std::unique_ptr<Accumulator> inner_;
  std::unordered_set<std::string> seen_;
};

/// f (x) KEEP (DENSE_RANK FIRST | LAST ORDER BY …): only rows of the first or last rank count.
class KeepOf final : public Accumulator {
 public:
  KeepOf(const Aggregate& call, Aggregate plain)
      : call_(call), plain_(std::move(plain)), inner_(make_accumulator(plain_)) {}
  void add(const Frame& f) override {
    Row keys = key_values(call_.order, f);
    if (has_rank_) {
      const int order = compare_keys(call_.order, keys, rank_, f.context->convert());
      const bool better = call_.keep == "FIRST" ? order < 0 : order > 0;
      if (order != 0 && !better) return;
      if (better) inner_ = make_accumulator(plain_);
    }
    has_rank_ = true;
    rank_ = std::move(keys);
    inner_->add(f);
  }
  [[nodiscard]] Value result(const ConvertContext& c) const override { return inner_->result(c); }

 private:
  const Aggregate& call_;
  Aggregate plain_;
  std::unique_ptr<Accumulator> inner_;
  bool has_rank_ = false;
  Row rank_;
};

std::unique_ptr<Accumulator> make_plain(const Aggregate& call) {
  if (call.name == "COUNT") return std::make_unique<CountOf>(call);
  if (call.name == "SUM" || call.name == "AVG") return std::make_unique<SumOf>(call);
  if (call.name == "MIN" || call.name == "MAX" || call.name == "ANY_VALUE")
    return std::make_unique<ExtremeOf>(call);
  if (call.name == "LISTAGG" || call.name == "MEDIAN") return std::make_unique<ListOf>(call);
  return std::make_unique<DeviationOf>(call);
}

}  // namespace

std::unique_ptr<Accumulator> make_accumulator(const Aggregate& call) {
  if (!call.keep.empty()) {
    Aggregate plain = call;
    plain.keep.clear();
    plain.order.clear();
    return std::make_unique<KeepOf>(call, std::move(plain));
  }
  auto plain = make_plain(call);
  if (!call.distinct || call.star) return plain;
  return std::make_unique<DistinctOf>(call, std::move(plain));
}

bool is_aggregate_name(const std::string& name) {
  static constexpr std::string_view kNames[] = {
      "COUNT",       "SUM",        "AVG",      "MIN",      "MAX",     "LISTAGG", "STDDEV",
      "STDDEV_SAMP", "STDDEV_POP", "VARIANCE", "VAR_SAMP", "VAR_POP", "MEDIAN",  "ANY_VALUE"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace orasim
