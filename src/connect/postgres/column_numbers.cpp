#include "connect/postgres/column_numbers.h"

#include <algorithm>

namespace wherry::postgres {
namespace {

/// How likely it is that the column is this attribute.
int likeness(const ColumnThen& column, const AttributeNow& attribute, const KnownNumbers& known) {
  int out = 0;
  const auto before = known.find(column.name);
  if (before != known.end() && before->second == attribute.number) out += 8;
  // What it was is not kept of a dropped one.
  if (attribute.is_dropped) return out + 1;
  if (attribute.name == column.name) out += 4;
  if (attribute.type == column.type) out += 2;
  return out;
}

}  // namespace

std::vector<std::uint32_t> number_columns(std::span<const ColumnThen> columns,
                                          std::span<const AttributeNow> attributes,
                                          const KnownNumbers& known) {
  const std::size_t count = columns.size();
  const std::size_t width = attributes.size() + 1;
  if (count == 0 || count > attributes.size()) return {};
  // best[c * width + a]: of the columns from c on, among the attributes from a on. Attributes may
  // be left out, columns not: the server never forgets one.
  constexpr int kImpossible = -1;
  std::vector<int> best((count + 1) * width, kImpossible);
  std::fill_n(best.begin() + static_cast<std::ptrdiff_t>(count * width), width, 0);
  for (std::size_t c = count; c-- > 0;) {
    for (std::size_t a = attributes.size(); a-- > 0;) {
      const int rest = best[(c + 1) * width + a + 1];
      const int taken =
          rest == kImpossible ? kImpossible : rest + likeness(columns[c], attributes[a], known);
      best[c * width + a] = std::max(taken, best[c * width + a + 1]);
    }
  }
  std::vector<std::uint32_t> out;
  for (std::size_t c = 0, a = 0; c < count; ++a) {
    // The first of those that are as good: what was added later has a higher number.
    const int rest = best[(c + 1) * width + a + 1];
    const int taken = rest + likeness(columns[c], attributes[a], known);
    if (rest == kImpossible || taken != best[c * width + a]) continue;
    out.push_back(attributes[a].number);
    ++c;
  }
  return out;
}

}  // namespace wherry::postgres
