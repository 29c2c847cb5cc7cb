#include "connect/memory/connector.h"
#include "tests/conformance/fixture.h"

namespace wherry::conformance {
namespace {

class MemoryFixture final : public ConnectorFixture {
 public:
  MemoryFixture() : database_(connector_.create("one")) { database_.set_password("right"); }

  connect::Connector& connector() override { return connector_; }
  connect::Settings settings() override {
    connect::Settings settings = memory::MemoryConnector::settings("one");
    settings.password = Secret("right");
    return settings;
  }
  connect::Settings wrong_password() override {
    connect::Settings settings = memory::MemoryConnector::settings("one");
    settings.password = Secret("not-The-Word-1");
    return settings;
  }
  std::string schema() override { return "APP"; }
  void create(const SourceTable& table) override { database_.put(table.definition, table.rows); }
  void append(const SourceTable& table) override {
    const auto added = database_.change(table.definition.table, [&](memory::Table& edited) {
      edited.rows.insert(edited.rows.end(), table.rows.begin(), table.rows.end());
      return Result<void>();
    });
    EXPECT_TRUE(added.ok());
  }
  void transact(const schema::TableDef& table, const std::vector<RowWrite>& writes) override {
    const auto done = database_.transact([&](memory::Transaction& work) -> Result<void> {
      for (const RowWrite& write : writes) {
        if (write.key.empty()) {
          WHERRY_TRY(work.insert(table.table, write.row));
        } else if (write.row.empty()) {
          WHERRY_TRY(work.remove(table.table, write.key));
        } else {
          WHERRY_TRY(work.update(table.table, write.key, write.row));
        }
      }
      return {};
    });
    EXPECT_TRUE(done.ok());
  }
  std::vector<TypeSample> types() override {
    auto samples = all_types();
    for (TypeSample& sample : samples) sample.native_type = sample.name;
    return samples;
  }
  std::vector<std::string> odd_names() override {
    return {"select", "MixedCase", "a b", "quote\"d", "it's", "ünïcödé", "", std::string(128, 'x')};
  }
  void block_reads(const schema::TableRef& table) override {
    database_.faults().add({memory::Point::kRead, table.name, 0, 1, std::nullopt});
  }
  bool wait_until_blocked(std::chrono::seconds limit) override {
    return database_.faults().wait_held(1, limit);
  }
  void unblock() override { database_.faults().release(); }
  void shut_down() override { database_.faults().shut_down(); }
  void start_up() override { database_.faults().start_up(); }

 private:
  memory::MemoryConnector connector_;
  memory::Database& database_;
};

std::unique_ptr<ConnectorFixture> make() {
  return std::make_unique<MemoryFixture>();
}

}  // namespace

WHERRY_CONFORMS(Memory, &make);
WHERRY_CHANGES_CONFORM(Memory, &make);

}  // namespace wherry::conformance
