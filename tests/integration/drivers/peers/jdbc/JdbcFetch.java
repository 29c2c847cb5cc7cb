// Reads one table with Oracle's JDBC thin driver, twice, and prints what the second time cost as
// JSON: the first warms the virtual machine up.
//
// usage: WHERRY_SOURCE_PASSWORD=… JdbcFetch HOST:PORT/SERVICE USER TABLE ROWS_AT_ONCE
import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

public final class JdbcFetch {
  private static long cpuNanoseconds() {
    return ((com.sun.management.OperatingSystemMXBean)
        ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  private static long read(Connection connection, String table, int rowsAtOnce)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(rowsAtOnce);
      try (ResultSet rows = statement.executeQuery("select * from \"" + table + "\"")) {
        int columns = rows.getMetaData().getColumnCount();
        long count = 0;
        long seen = 0;
        while (rows.next()) {
          for (int i = 1; i <= columns; i++) {
            if (rows.getObject(i) != null) seen++;
          }
          count++;
        }
        if (seen > count * columns) throw new AssertionError("more values than there are");
        return count;
      }
    }
  }

  public static void main(String[] arguments) throws SQLException {
    int rowsAtOnce = Integer.parseInt(arguments[3]);
    try (Connection connection = DriverManager.getConnection("jdbc:oracle:thin:@//" + arguments[0],
        arguments[1], System.getenv("WHERRY_SOURCE_PASSWORD"))) {
      read(connection, arguments[2], rowsAtOnce);
      long cpu = cpuNanoseconds();
      long started = System.nanoTime();
      long rows = read(connection, arguments[2], rowsAtOnce);
      System.out.printf("{\"rows\":%d,\"cpu_seconds\":%.3f,\"wall_seconds\":%.3f}%n", rows,
          (cpuNanoseconds() - cpu) / 1e9, (System.nanoTime() - started) / 1e9);
    }
  }
}
