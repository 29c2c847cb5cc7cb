#include "connect/oracle/wire/zone_rules.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include "core/civil_time.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::size_t kMaxFileBytes = 1024 * 1024;

struct Counts {
  std::uint32_t ut, standard, leap, transition, type, abbreviation;
};

std::optional<Counts> read_header(Reader& in) {
  if (text_of(in.raw(4)) != "TZif" || in.u8() < '2') return std::nullopt;
  in.skip(15);
  Counts counts{};
  counts.ut = in.u32();
  counts.standard = in.u32();
  counts.leap = in.u32();
  counts.transition = in.u32();
  counts.type = in.u32();
  counts.abbreviation = in.u32();
  constexpr std::uint32_t kSane = 65536;
  const bool sane = counts.transition < kSane && counts.type < kSane && counts.leap < kSane &&
                    counts.abbreviation < kSane && counts.ut < kSane && counts.standard < kSane;
  return in.ok() && sane ? std::optional(counts) : std::nullopt;
}

std::size_t body_bytes(const Counts& c, std::size_t time_bytes) {
  return std::size_t{c.transition} * (time_bytes + 1) + std::size_t{c.type} * 6 + c.abbreviation +
         std::size_t{c.leap} * (time_bytes + 4) + c.standard + c.ut;
}

/// Cursor over a POSIX TZ string.
class TzText {
 public:
  explicit TzText(std::string_view text) : text_(text) {}
  [[nodiscard]] bool at_end() const { return text_.empty(); }
  bool take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// An abbreviation, plain or in angle brackets.
  bool skip_name() {
    const bool quoted = take('<');
    std::size_t n = 0;
    const auto is_name = [quoted](char c) {
      return quoted ? c != '>' : (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    };
    while (n < text_.size() && is_name(text_[n])) ++n;
    text_.remove_prefix(n);
    return n >= 3 && (!quoted || take('>'));
  }
  int number() {
    int value = 0;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9' && value < 100'000) {
      value = value * 10 + (text_[0] - '0');
      text_.remove_prefix(1);
    }
    return value;
  }
  /// [+-]hh[:mm[:ss]] in seconds.
  std::int32_t time() {
    const bool negative = take('-');
    if (!negative) take('+');
    std::int32_t seconds = number() * 3600;
    if (take(':')) seconds += number() * 60;
    if (take(':')) seconds += number();
    return negative ? -seconds : seconds;
  }
  [[nodiscard]] bool starts_time() const {
    return !text_.empty() &&
           (text_[0] == '-' || text_[0] == '+' || (text_[0] >= '0' && text_[0] <= '9'));
  }

 private:
  std::string_view text_;
};

/// Day of the "week"-th such weekday of a month; week 5 is the last.
std::int64_t day_of_change(std::int64_t year, int month, int week, int weekday) {
  const std::int64_t first = days_from_civil(year, static_cast<unsigned>(month), 1);
  const int first_weekday = static_cast<int>(((first + 4) % 7 + 7) % 7);
  const std::int64_t next_month =
      month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1U, 1);
  std::int64_t day = first + (weekday - first_weekday + 7) % 7 + std::int64_t{week - 1} * 7;
  while (day >= next_month) day -= 7;
  return day;
}

struct RegionName {
  std::uint16_t id;
  const char* name;
};
constexpr RegionName kRegions[] = {
#include "connect/oracle/wire/region_names.inc"
};

}  // namespace

std::optional<ZoneRules> ZoneRules::parse(ByteView tzif) {
  Reader in(tzif);
  const auto first = read_header(in);
  if (!first) return std::nullopt;
  in.skip(body_bytes(*first, 4));
  const auto counts = read_header(in);
  if (!counts || counts->type == 0 || body_bytes(*counts, 8) > in.remaining()) return std::nullopt;
  ZoneRules rules;
  for (std::uint32_t i = 0; i < counts->transition; ++i) {
    rules.transitions_.push_back(static_cast<std::int64_t>(in.u64()));
  }
  const ByteView type_of = in.raw(counts->transition);
  std::vector<std::int32_t> types;
  for (std::uint32_t i = 0; i < counts->type; ++i) {
    types.push_back(static_cast<std::int32_t>(in.u32()));
    in.skip(2);
  }
  rules.offsets_.push_back(types[0]);
  for (const std::uint8_t type : type_of) {
    if (type >= types.size()) return std::nullopt;
    rules.offsets_.push_back(types[type]);
  }
  in.skip(body_bytes(*counts, 8) - counts->transition * std::size_t{9} -
          counts->type * std::size_t{6});
  std::string_view text = text_of(in.rest());
  if (!in.ok() || text.empty() || text[0] != '\n') return std::nullopt;
  text = text.substr(1, text.find('\n', 1) - 1);
  const auto footer = parse_footer(text);
  rules.footer_ = footer.value_or(Footer{rules.offsets_.back(), 0, false, {}, {}});
  return rules;
}

std::optional<ZoneRules::Footer> ZoneRules::parse_footer(std::string_view text) {
  TzText in(text);
  Footer footer;
  if (!in.skip_name() || !in.starts_time()) return std::nullopt;
  footer.standard = -in.time();
  if (in.at_end()) return footer;
  footer.has_daylight = true;
  if (!in.skip_name()) return std::nullopt;
  footer.daylight = in.starts_time() ? -in.time() : footer.standard + 3600;
  for (Change* change : {&footer.start, &footer.end}) {
    if (!in.take(',') || !in.take('M')) return std::nullopt;
    change->month = in.number();
    if (!in.take('.')) return std::nullopt;
    change->week = in.number();
    if (!in.take('.')) return std::nullopt;
    change->weekday = in.number();
    if (in.take('/')) change->second_of_day = in.time();
    if (change->month < 1 || change->month > 12 || change->week < 1 || change->week > 5 ||
        change->weekday > 6) {
      return std::nullopt;
    }
  }
  return footer;
}

std::int32_t ZoneRules::footer_offset(std::int64_t utc_seconds) const {
  if (!footer_.has_daylight) return footer_.standard;
  const std::int64_t year = civil_from_micros((utc_seconds + footer_.standard) * 1'000'000).year;
  const auto at = [&](const Change& change, std::int32_t offset_before) {
    return day_of_change(year, change.month, change.week, change.weekday) * kDaySeconds +
           change.second_of_day - offset_before;
  };
  const std::int64_t start = at(footer_.start, footer_.standard);
  const std::int64_t end = at(footer_.end, footer_.daylight);
  const bool is_daylight = start < end ? utc_seconds >= start && utc_seconds < end
                                       : utc_seconds >= start || utc_seconds < end;
  return is_daylight ? footer_.daylight : footer_.standard;
}

std::int32_t ZoneRules::offset_at(std::int64_t utc_seconds) const {
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), utc_seconds);
  if (next == transitions_.end()) return footer_offset(utc_seconds);
  return offsets_[static_cast<std::size_t>(next - transitions_.begin())];
}

std::int32_t ZoneRules::offset_at_local(std::int64_t local_seconds, bool daylight) const {
  // The offsets in force a day before and after; where both read the clock back, it is ambiguous.
  const std::int32_t before = offset_at(local_seconds - kDaySeconds);
  const std::int32_t after = offset_at(local_seconds + kDaySeconds);
  const bool fits_before = offset_at(local_seconds - before) == before;
  const bool fits_after = offset_at(local_seconds - after) == after;
  if (fits_before && fits_after)
    return daylight ? std::max(before, after) : std::min(before, after);
  return fits_after ? after : before;
}

std::string_view region_name(std::uint16_t region_id) {
  const auto* found =
      std::lower_bound(std::begin(kRegions), std::end(kRegions), region_id,
                       [](const RegionName& region, std::uint16_t id) { return region.id < id; });
  if (found == std::end(kRegions) || found->id != region_id) return {};
  return found->name;
}

std::optional<std::uint16_t> region_id(std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  for (const RegionName& region : kRegions) {
    const std::string_view known = region.name;
    if (std::equal(name.begin(), name.end(), known.begin(), known.end(), same)) return region.id;
  }
  return std::nullopt;
}

const ZoneRules* RegionTable::find(std::uint16_t region_id) {
  for (const Entry& entry : entries_) {
    if (entry.region_id == region_id) return entry.rules ? &*entry.rules : nullptr;
  }
  Entry entry{region_id, std::nullopt};
  const std::string_view name = region_name(region_id);
  if (!name.empty()) {
    std::ifstream file(directory_ + "/" + std::string(name), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    if (file.good() || file.eof()) {
      if (text.size() <= kMaxFileBytes) entry.rules = ZoneRules::parse(bytes_of(text));
    }
  }
  entries_.push_back(std::move(entry));
  const Entry& kept = entries_.back();
  return kept.rules ? &*kept.rules : nullptr;
}

}  // namespace wherry::oracle::wire
