#include "connect/postgres/column_numbers.h"

#include <gtest/gtest.h>

namespace wherry::postgres {
namespace {

constexpr std::uint32_t kInt = 23;
constexpr std::uint32_t kText = 25;
using Numbers = std::vector<std::uint32_t>;

Numbers number(const std::vector<ColumnThen>& columns, const std::vector<AttributeNow>& attributes,
               const KnownNumbers& known = {}) {
  return number_columns(columns, attributes, known);
}

TEST(ColumnNumbers, AreThoseOfTheCatalogueWhereNothingHasChanged) {
  EXPECT_EQ(number({{"a", kInt}, {"b", kText}},
                   {{1, "a", kInt, false}, {2, "", 0, true}, {3, "b", kText, false}}),
            (Numbers{1, 3}));
}

TEST(ColumnNumbers, OfColumnsThatWereRenamedSince) {
  // b became c, and c became d: the log says c, the catalogue d.
  EXPECT_EQ(number({{"a", kInt}, {"c", kText}}, {{1, "a", kInt, false}, {2, "d", kText, false}}),
            (Numbers{1, 2}));
}

TEST(ColumnNumbers, OfColumnsThatWereDroppedSince) {
  EXPECT_EQ(number({{"a", kInt}, {"b", kText}, {"c", kInt}},
                   {{1, "a", kInt, false}, {2, "", 0, true}, {3, "c", kInt, false}}),
            (Numbers{1, 2, 3}));
}

TEST(ColumnNumbers, OfColumnsThatHaveChangedTheirNamesAmongEachOther) {
  EXPECT_EQ(number({{"a", kInt}, {"b", kInt}}, {{1, "b", kInt, false}, {2, "a", kInt, false}}),
            (Numbers{1, 2}));
}

TEST(ColumnNumbers, AreWhatIsKnownWhereTheCatalogueLeavesAChoice) {
  // b was dropped, and another of its name added.
  const std::vector<AttributeNow> now = {
      {1, "a", kInt, false}, {2, "", 0, true}, {3, "b", kText, false}};
  EXPECT_EQ(number({{"a", kInt}, {"b", kText}}, now, {{"a", 1}, {"b", 2}}), (Numbers{1, 2}));
  EXPECT_EQ(number({{"a", kInt}, {"b", kText}}, now, {{"a", 1}}), (Numbers{1, 3}));
}

TEST(ColumnNumbers, AreNoneWhereTheTableIsGoneOrAnother) {
  EXPECT_EQ(number({{"a", kInt}}, {}), Numbers{});
  EXPECT_EQ(number({{"a", kInt}, {"b", kInt}}, {{1, "a", kInt, false}}), Numbers{});
}

}  // namespace
}  // namespace wherry::postgres
