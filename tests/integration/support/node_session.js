// A session of node-oracledb with a bit of everything, for recording.
// usage: node node_session.js HOST:PORT SERVICE USER PASSWORD
'use strict';
const oracledb = require('oracledb');

async function main() {
  const [address, service, user, password] = process.argv.slice(2);
  const connection = await oracledb.getConnection(
    {user, password, connectString: `${address}/${service}`});
  await connection.execute(
    'create table recn (id number, t varchar2(100), d timestamp, c clob, b blob)');
  const rows = [];
  for (let i = 0; i < 120; ++i) rows.push([i, `text ${i % 5}`, new Date(Date.UTC(2026, 1, 2, i % 24))]);
  await connection.executeMany('insert into recn (id, t, d) values (:1, :2, :3)', rows);
  await connection.execute('insert into recn (id, c, b) values (500, :1, :2)',
                           ['é'.repeat(50000), Buffer.alloc(40000, 7)]);
  await connection.commit();
  const all = await connection.execute('select id, t, d, rowid from recn order by id', [],
                                       {fetchArraySize: 32, prefetchRows: 7});
  if (all.rows.length !== 121) throw new Error(`${all.rows.length} rows`);
  await connection.execute('select c, b from recn where id = 500', [],
                           {fetchInfo: {C: {type: oracledb.STRING}, B: {type: oracledb.BUFFER}}});
  const lobs = await connection.execute('select c, b from recn where id = 500');
  for (const lob of lobs.rows[0]) await lob.getData();
  const out = await connection.execute('begin :o := :i + 1; end;',
    {i: 41, o: {dir: oracledb.BIND_OUT, type: oracledb.NUMBER}});
  if (out.outBinds.o !== 42) throw new Error('out bind');
  await connection.execute('update recn set t = :1 where id = 3 returning id into :2',
    ['new', {dir: oracledb.BIND_OUT, type: oracledb.NUMBER}]);
  for (const sql of ['select * from nowhere', 'select 1/0 from dual']) {
    await connection.execute(sql).then(() => { throw new Error('no error'); },
                                       (error) => { if (!error.errorNum) throw error; });
  }
  const cursor = await connection.execute('select id from recn', [], {resultSet: true});
  await cursor.resultSet.getRows(10);
  await cursor.resultSet.close();
  await connection.ping();
  await connection.rollback();
  await connection.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
