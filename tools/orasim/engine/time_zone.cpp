#include "engine/time_zone.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/calendar.h"
#include "engine/error.h"
#include "engine/format_model.h"
#include "engine/images.h"

namespace orasim {
namespace {

constexpr std::int64_t kDaySeconds = 86400;
constexpr std::int64_t kEpochDay = 2440588;  // Julian day of 1970-01-01
constexpr std::int64_t kEpochSeconds = kEpochDay * kDaySeconds;
constexpr int kLastYear = 9999;

struct Region {
  std::uint16_t id;
  std::string_view name;
};
constexpr Region kRegions[] = {
#include "engine/time_zone_names.inc"
};

/// What a zone does from some moment on.
struct Period {
  std::int64_t from = INT64_MIN;  ///< Unix time
  std::int32_t offset_secs = 0;
  bool daylight = false;
  std::string abbreviation;
};
using Periods = std::vector<Period>;

// ---- the rule behind the last transition: CET-1CEST,M3.5.0,M10.5.0/3 ----------------------------

struct YearlyChange {
  int month = 1, week = 1, weekday = 0;
  std::int32_t seconds = 7200;  ///< of the day, wall clock before the change
};

struct YearlyRule {
  Period standard, daylight;
  bool changes = false;
  YearlyChange to_daylight, to_standard;
};

class RuleText {
 public:
  explicit RuleText(std::string_view text) : text_(text) {}

  bool read(YearlyRule& rule) {
    rule.standard.abbreviation = name();
    if (rule.standard.abbreviation.empty() || text_.empty()) return false;
    rule.standard.offset_secs = -time();
    if (text_.empty()) return true;
    rule.daylight.abbreviation = name();
    rule.daylight.daylight = true;
    rule.daylight.offset_secs = rule.standard.offset_secs + 3600;
    if (!text_.empty() && text_[0] != ',') rule.daylight.offset_secs = -time();
    rule.changes = change(rule.to_daylight) && change(rule.to_standard);
    return rule.changes;
  }

 private:
  bool accept(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string name() {
    const bool quoted = accept('<');
    std::size_t n = 0;
    while (n < text_.size() &&
           (quoted ? text_[n] != '>' : std::isalpha(static_cast<unsigned char>(text_[n])) != 0)) {
      ++n;
    }
    std::string out(text_.substr(0, n));
    text_.remove_prefix(n);
    if (quoted) accept('>');
    return out;
  }
  int number() {
    int n = 0;
    while (!text_.empty() && std::isdigit(static_cast<unsigned char>(text_[0])) != 0 && n < 10000) {
      n = n * 10 + (text_[0] - '0');
      text_.remove_prefix(1);
    }
    return n;
  }
  std::int32_t time() {
    const bool negative = accept('-');
    if (!negative) accept('+');
    std::int32_t seconds = number() * 3600;
    if (accept(':')) seconds += number() * 60;
    if (accept(':')) seconds += number();
    return negative ? -seconds : seconds;
  }
  bool change(YearlyChange& c) {
    if (!accept(',') || !accept('M')) return false;
    c.month = number();
    if (!accept('.')) return false;
    c.week = number();
    if (!accept('.')) return false;
    c.weekday = number();
    if (accept('/')) c.seconds = time();
    return c.month >= 1 && c.month <= 12 && c.week >= 1 && c.week <= 5 && c.weekday <= 6;
  }

  std::string_view text_;
};

/// Unix time of midnight of the week-th such weekday; week 5 is the last.
std::int64_t midnight_of(int year, const YearlyChange& c) {
  DateTime first;
  first.year = static_cast<std::int16_t>(year);
  first.month = static_cast<std::uint8_t>(c.month);
  const int days = days_in_month(year, c.month);
  int day = 1 + (c.weekday - (weekday(first) - 1) + 7) % 7 + (c.week - 1) * 7;
  while (day > days) day -= 7;
  return (julian_day(first) - kEpochDay + day - 1) * kDaySeconds;
}

/// All changes to come, so that looking up needs no rule.
void append_yearly(Periods& periods, const YearlyRule& rule, int first_year) {
  for (int year = first_year; year <= kLastYear; ++year) {
    Period on = rule.daylight, off = rule.standard;
    on.from =
        midnight_of(year, rule.to_daylight) + rule.to_daylight.seconds - rule.standard.offset_secs;
    off.from =
        midnight_of(year, rule.to_standard) + rule.to_standard.seconds - rule.daylight.offset_secs;
    const bool northern = on.from < off.from;
    for (Period* p : {northern ? &on : &off, northern ? &off : &on}) {
      if (periods.empty() || p->from > periods.back().from) periods.push_back(std::move(*p));
    }
  }
}

// ---- the file -----------------------------------------------------------------------------------

struct Counts {
  std::size_t ut, standard, leap, transitions, types, characters;
  [[nodiscard]] std::size_t body(std::size_t time_bytes) const {
    return transitions * (time_bytes + 1) + types * 6 + characters + leap * (time_bytes + 4) +
           standard + ut;
  }
};

Counts read_counts(ImageReader& in) {
  if (in.take(4) != "TZif" || in.u8() < '2') throw ImageReader::Short{};
  in.take(15);
  Counts c{};
  for (std::size_t* n : {&c.ut, &c.standard, &c.leap, &c.transitions, &c.types, &c.characters}) {
    *n = in.u32();
  }
  return c;
}

Periods parse_file(std::string_view bytes) {
  ImageReader in(bytes);
  in.take(read_counts(in).body(4));
  const Counts c = read_counts(in);
  ImageReader times(in.take(c.transitions * 8));
  const std::string_view type_of = in.take(c.transitions);
  ImageReader types(in.take(c.types * 6));
  const std::string_view characters = in.take(c.characters);
  in.take(c.leap * 12 + c.standard + c.ut);
  Periods kinds;
  for (std::size_t i = 0; i < c.types; ++i) {
    Period p;
    p.offset_secs = static_cast<std::int32_t>(types.u32());
    p.daylight = types.u8() != 0;
    const std::size_t at = types.u8();
    if (at < characters.size()) p.abbreviation = characters.substr(at).data();
    kinds.push_back(std::move(p));
  }
  Periods periods{kinds.at(0)};
  for (const char type : type_of) {
    Period p = kinds.at(static_cast<unsigned char>(type));
    p.from = static_cast<std::int64_t>(times.be(8));
    periods.push_back(std::move(p));
  }
  std::string_view footer = in.take(in.left());
  footer.remove_prefix(std::min<std::size_t>(footer.size(), 1));
  footer = footer.substr(0, footer.find('\n'));
  YearlyRule rule;
  if (!RuleText(footer).read(rule) || !rule.changes) return periods;
  const bool any = periods.size() > 1;
  const std::int64_t last = any ? periods.back().from : 0;
  const DateTime when = from_total_seconds(last + kEpochSeconds, 0, DateTime{});
  append_yearly(periods, rule, when.year);
  return periods;
}

Periods load(std::string_view name) {
  const std::string path = "/usr/share/zoneinfo/" + std::string(name);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  try {
    return parse_file(bytes);
  } catch (const ImageReader::Short&) {
  } catch (const std::out_of_range&) {
  }
  throw OraError(1804, "failure to initialize timezone information: " + path);
}

const Periods& periods_of(std::uint16_t region) {
  static std::mutex mutex;
  static std::map<std::uint16_t, std::unique_ptr<const Periods>> known;
  const std::lock_guard lock(mutex);
  std::unique_ptr<const Periods>& found = known[region];
  if (!found) {
    const std::string_view name = region_name(region);
    found = std::make_unique<const Periods>(name.empty() ? Periods{Period{}} : load(name));
  }
  return *found;
}

const Period& period_at(const Periods& periods, std::int64_t unix_secs) {
  const auto next = std::upper_bound(periods.begin() + 1, periods.end(), unix_secs,
                                     [](std::int64_t t, const Period& p) { return t < p.from; });
  return *std::prev(next);
}

/// A DateTime's zone is whole minutes.
std::int16_t minutes_of(const Period& period) {
  return static_cast<std::int16_t>(period.offset_secs / 60);
}

}  // namespace

std::string_view region_name(std::uint16_t id) {
  const auto* found = std::lower_bound(std::begin(kRegions), std::end(kRegions), id,
                                       [](const Region& r, std::uint16_t n) { return r.id < n; });
  return found != std::end(kRegions) && found->id == id ? found->name : std::string_view();
}

std::optional<std::uint16_t> region_id(std::string_view name) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  const auto* found = std::find_if(std::begin(kRegions), std::end(kRegions), [&](const Region& r) {
    return std::equal(name.begin(), name.end(), r.name.begin(), r.name.end(), same);
  });
  if (found == std::end(kRegions)) return std::nullopt;
  return found->id;
}

void resolve_zone(DateTime& utc) {
  if (utc.region_id == 0) return;
  utc.offset_minutes =
      minutes_of(period_at(periods_of(utc.region_id), total_seconds(utc) - kEpochSeconds));
}

void resolve_wall_zone(DateTime& wall, bool daylight) {
  if (wall.region_id == 0) return;
  const Periods& periods = periods_of(wall.region_id);
  const std::int64_t local = total_seconds(wall) - kEpochSeconds;
  const Period* best = nullptr;
  // Whatever is in force at the moment is in force a day before or after it by Greenwich time.
  for (const std::int64_t probe : {local - kDaySeconds, local, local + kDaySeconds}) {
    const Period& p = period_at(periods, probe);
    const std::int64_t moment = local - std::int64_t{minutes_of(p)} * 60;
    if (&period_at(periods, moment) != &p) continue;
    const bool is_better = best == nullptr || (daylight ? minutes_of(p) > minutes_of(*best)
                                                        : minutes_of(p) < minutes_of(*best));
    if (is_better) best = &p;
  }
  if (best == nullptr) {
    throw OraError(1878, "specified field not found in datetime or interval");
  }
  wall.offset_minutes = minutes_of(*best);
}

void Zone::put_into(DateTime& utc) const {
  utc.offset_minutes = offset_minutes;
  utc.region_id = region_id;
  resolve_zone(utc);
}

void Zone::put_into_wall(DateTime& wall) const {
  wall.offset_minutes = offset_minutes;
  wall.region_id = region_id;
  resolve_wall_zone(wall);
}

std::optional<Zone> parse_zone(std::string_view text) {
  if (const auto region = region_id(text)) return Zone{0, *region};
  int minutes = 0;
  if (!parse_offset(text, minutes)) return std::nullopt;
  return Zone{static_cast<std::int16_t>(minutes), 0};
}

std::string zone_text(const Zone& zone) {
  const std::string_view name = region_name(zone.region_id);
  return name.empty() ? offset_text(zone.offset_minutes) : std::string(name);
}

std::string zone_text(const DateTime& value) {
  return zone_text(Zone{value.offset_minutes, value.region_id});
}

bool is_daylight(const DateTime& utc) {
  return utc.region_id != 0 &&
         period_at(periods_of(utc.region_id), total_seconds(utc) - kEpochSeconds).daylight;
}

std::string daylight_text(const DateTime& utc) {
  if (utc.region_id == 0) return {};
  return period_at(periods_of(utc.region_id), total_seconds(utc) - kEpochSeconds).abbreviation;
}

}  // namespace orasim
