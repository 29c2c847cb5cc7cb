// Reads one table with oracledb (thin), drops the rows, and prints what that cost as JSON.
// usage: WHERRY_SOURCE_PASSWORD=… node node_fetch.cjs USER HOST:PORT/SERVICE TABLE ARRAY_SIZE
'use strict';
const oracledb = require('oracledb');

async function main([user, connectString, table, arraySize]) {
  oracledb.fetchAsString = [oracledb.CLOB];
  oracledb.fetchAsBuffer = [oracledb.BLOB];
  const rowsAtOnce = Number(arraySize);
  const started = process.hrtime.bigint();
  const connection = await oracledb.getConnection(
    {user, password: process.env.WHERRY_SOURCE_PASSWORD, connectString});
  const result = await connection.execute(`select * from "${table}"`, [], {
    resultSet: true, fetchArraySize: rowsAtOnce, prefetchRows: rowsAtOnce});
  let rows = 0;
  for (;;) {
    const some = await result.resultSet.getRows(rowsAtOnce);
    if (some.length === 0) break;
    rows += some.length;
  }
  await result.resultSet.close();
  await connection.close();
  const cpu = process.cpuUsage();
  console.log(JSON.stringify({
    rows,
    cpu_seconds: (cpu.user + cpu.system) / 1e6,
    wall_seconds: Number(process.hrtime.bigint() - started) / 1e9,
    peak_rss_mib: process.resourceUsage().maxRSS / 1024}));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
