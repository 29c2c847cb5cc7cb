// Takes the statements of a file apart, one a line, again and again with Debezium's parser of
// SQL_REDO, and prints how many a second of processor time as JSON. The first seconds warm the
// virtual machine up.
//
// usage: DebeziumParse FILE
import io.debezium.config.Configuration;
import io.debezium.connector.oracle.OracleConnectorConfig;
import io.debezium.connector.oracle.logminer.parser.LogMinerDmlEntry;
import io.debezium.connector.oracle.logminer.parser.LogMinerDmlParser;
import io.debezium.relational.Column;
import io.debezium.relational.Table;
import io.debezium.relational.TableEditor;
import io.debezium.relational.TableId;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;

public final class DebeziumParse {
  private static final long WARM_UP_NANOS = 5_000_000_000L;
  private static final long MEASURED_NANOS = 3_000_000_000L;

  private static final Table CUSTOMERS = table("CUSTOMERS", "ID", "BALANCE");
  private static final Table ORDERS =
      table("ORDERS", "ID", "CUSTOMER_ID", "PLACED", "STATE", "NOTE");
  private static final Table ORDER_LINES =
      table("ORDER_LINES", "ORDER_ID", "LINE", "PRODUCT_ID", "QUANTITY", "PRICE");

  private static Table table(String name, String... columns) {
    TableEditor editor = Table.editor().tableId(new TableId("ORCL", "SHOP", name));
    for (int i = 0; i < columns.length; i++) {
      editor.addColumn(column(columns[i], i + 1));
    }
    return editor.setPrimaryKeyNames(columns[0]).create();
  }

  private static Column column(String name, int position) {
    boolean isDate = name.equals("PLACED");
    boolean isText = name.equals("STATE") || name.equals("NOTE");
    return Column.editor().name(name).position(position)
        .type(isDate ? "DATE" : isText ? "VARCHAR2" : "NUMBER")
        .jdbcType(isDate ? Types.TIMESTAMP : isText ? Types.VARCHAR : Types.NUMERIC)
        .length(20).create();
  }

  private static final class Statement {
    final String text;
    final Table table;

    Statement(String text) {
      this.text = text;
      table = text.contains("\"CUSTOMERS\"") ? CUSTOMERS
          : text.contains("\"ORDERS\"")      ? ORDERS
                                             : ORDER_LINES;
    }

    /** All of an insert's columns, and those that an update names, twice the one it sets. */
    int valueCount() {
      return text.startsWith("insert") ? table.columns().size()
          : table == CUSTOMERS         ? 4
                                       : 6;
    }
  }

  private static LogMinerDmlParser parser() {
    return new LogMinerDmlParser(new OracleConnectorConfig(Configuration.create()
        .with("topic.prefix", "shop").with("database.dbname", "ORCL")
        .with("database.hostname", "localhost").with("database.user", "u")
        .with("database.password", "p").build()));
  }

  private static int given(Object[] values) {
    int count = 0;
    for (Object value : values) {
      if (value != null) count++;
    }
    return count;
  }

  private static void check(LogMinerDmlParser parser, List<Statement> statements) {
    for (Statement each : statements) {
      LogMinerDmlEntry entry = parser.parse(each.text, each.table);
      int found = given(entry.getOldValues()) + given(entry.getNewValues());
      if (found != each.valueCount()) {
        throw new AssertionError(found + " values of: " + each.text);
      }
    }
  }

  /** Of this thread, without those that compile and collect. */
  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static double perSecond(LogMinerDmlParser parser, List<Statement> statements,
      long nanos) {
    long begun = cpuNanos();
    long count = 0;
    long seen = 0;
    long passed;
    do {
      for (Statement each : statements) {
        LogMinerDmlEntry entry = parser.parse(each.text, each.table);
        seen += entry.getNewValues().length;
      }
      count += statements.size();
      passed = cpuNanos() - begun;
    } while (passed < nanos);
    if (seen < count) throw new AssertionError("statements without values");
    return count * 1e9 / passed;
  }

  public static void main(String[] arguments) throws IOException {
    List<Statement> statements = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      statements.add(new Statement(line));
    }
    LogMinerDmlParser parser = parser();
    check(parser, statements);
    perSecond(parser, statements, WARM_UP_NANOS);
    System.out.println("{\"statements_per_second\": "
        + Math.round(perSecond(parser, statements, MEASURED_NANOS)) + "}");
  }
}
