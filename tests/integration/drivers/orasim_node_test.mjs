// orasim seen by node-oracledb in thin mode, unmodified. Every server is started here, on a free
// port: $ORASIM, else build/orasim.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const oracledb = createRequire(import.meta.url)('oracledb');
const build = process.env.WHERRY_BUILD ?? fileURLToPath(new URL('../../../build', import.meta.url));
const orasim = process.env.ORASIM ?? `${build}/orasim`;
const service = 'DRVTEST';
const user = 'drv';
const password = 'Pass word-1';

async function startServer(...args) {
  const child = spawn(orasim, ['--listen', '127.0.0.1:0', '--service', service,
    '--user', `${user}/${password}`, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ready = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data)));
    child.once('exit', (code) => reject(new Error(`orasim ended with ${code}`)));
  });
  const port = ready.trim().split(':')[1];
  return {
    connectString: `127.0.0.1:${port}/${service}`,
    connect(more = {}) {
      return oracledb.getConnection({ user, password, connectString: this.connectString, ...more });
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      assert.equal(await ended, 0);
    },
  };
}

async function withTable(connection, name, columns, body) {
  await connection.execute(`create table ${name} (${columns})`);
  try {
    await body();
  } finally {
    await connection.execute(`drop table ${name}`);
  }
}

const kinds = [
  ['12.1', ['--emulate', '12.1']],
  ['12.2', ['--emulate', '12.2']],
  ['18c', ['--emulate', '18c']],
  ['21c', ['--emulate', '21c']],
  ['26ai', ['--emulate', '26ai']],
  ['19', []],
  ['23', ['--emulate', '23']],
  ['23 with errors by marker', ['--emulate', '23', '--marker-errors']],
  ['23 in packets of one byte', ['--emulate', '23', '--packet-payload', '1']],
  ['19 at an SDU of 512', ['--sdu', '512']],
  ['11g verifier', ['--verifier', '11g']],
  ['RESEND', ['--resend']],
  ['REDIRECT', ['--redirect']],
];

for (const [name, args] of kinds) {
  describe(`server ${name}`, () => {
    let server;
    let connection;
    before(async () => {
      server = await startServer(...args);
      connection = await server.connect();
    });
    after(async () => {
      await connection?.close();
      await server?.stop();
    });

    test('rows in batches, repeated values left out', async () => {
      await withTable(connection, 'batches', 'n number, t varchar2(30), d date', async () => {
        const rows = Array.from({ length: 300 }, (_, n) => [n, `repeated ${Math.floor(n / 5)}`]);
        await connection.executeMany('insert into batches (n, t) values (:1, :2)', rows);
        for (const fetchArraySize of [7, 1000]) {
          const result = await connection.execute('select n, t, d from batches order by n', [],
            { fetchArraySize, prefetchRows: 2 });
          assert.deepEqual(result.rows, rows.map((row) => [...row, null]));
        }
      });
    });

    test('errors carry number, text and position', async () => {
      await assert.rejects(connection.execute('select * from no_such_table'), (error) => {
        assert.equal(error.errorNum, 942);
        assert.equal(error.offset, 14);
        return true;
      });
      assert.deepEqual((await connection.execute('select 1 from dual')).rows, [[1]]);
    });

    test('wrong password and unknown service', async () => {
      await assert.rejects(server.connect({ password: 'wrong' }), /ORA-01017/);
      const connectString = server.connectString.replace(service, 'NOSUCH');
      await assert.rejects(server.connect({ connectString }), /NJS-518/);
    });

    test('CLOB and BLOB by locator and as values', async () => {
      await withTable(connection, 'lobs', 'id number, c clob, b blob', async () => {
        const text = 'né 🎉 '.repeat(5000);
        const binary = Buffer.alloc(70000, 7);
        await connection.execute('insert into lobs values (1, :c, :b)', {
          c: { val: text, type: oracledb.CLOB }, b: { val: binary, type: oracledb.BLOB } });
        await connection.execute('insert into lobs values (2, null, null)');
        const [[clob, blob], nulls] =
          (await connection.execute('select c, b from lobs order by id')).rows;
        assert.equal(await clob.getData(), text);
        assert.deepEqual(await blob.getData(), binary);
        assert.deepEqual(nulls, [null, null]);
        const fetchInfo = { C: { type: oracledb.STRING }, B: { type: oracledb.BUFFER } };
        const inline = await connection.execute('select c, b from lobs order by id', [],
          { fetchInfo });
        assert.deepEqual(inline.rows, [[text, binary], [null, null]]);
      });
    });
  });
}

describe('statements', () => {
  let server;
  let connection;
  before(async () => {
    server = await startServer('--emulate', '23');
    connection = await server.connect();
  });
  after(async () => {
    await connection?.close();
    await server?.stop();
  });

  test('scalar types', async () => {
    const columns = 'vc varchar2(50), ch char(5), nv nvarchar2(50), num number, d date, ' +
      'ts timestamp, r raw(10), bf binary_float, bd binary_double';
    await withTable(connection, 'scalars', columns, async () => {
      const date = new Date(2026, 7, 9, 12, 13, 14);
      const values = ['né 🎉', 'ab', { val: 'ñ', type: oracledb.DB_TYPE_NVARCHAR }, -1234567.89,
        { val: date, type: oracledb.DB_TYPE_DATE }, { val: date, type: oracledb.DB_TYPE_TIMESTAMP },
        Buffer.from([0, 255]), 1.5, -2.25];
      await connection.execute(
        'insert into scalars values (:1, :2, :3, :4, :5, :6, :7, :8, :9)', values);
      const { rows } = await connection.execute('select * from scalars');
      assert.deepEqual(rows, [['né 🎉', 'ab   ', 'ñ', -1234567.89, date, date,
        Buffer.from([0, 255]), 1.5, -2.25]]);
    });
  });

  test('JSON', async () => {
    const document = { a: [1, 2.5, null, true, 'é'.repeat(300)], b: { c: {} } };
    const rows = Array.from({ length: 5000 }, (_, n) => ({ id: n, name: `row ${n}` }));
    await withTable(connection, 'documents', 'id number, j json', async () => {
      const bind = (val) => ({ val, type: oracledb.DB_TYPE_JSON });
      await connection.execute('insert into documents values (1, :1)', [bind(document)]);
      await connection.execute('insert into documents values (2, :1)', [bind(rows)]);
      await connection.execute('insert into documents values (3, null)');
      await connection.execute(`insert into documents values (4, '{"t":"text"}')`);
      const result = await connection.execute('select j from documents order by id');
      assert.deepEqual(result.rows.map((row) => row[0]), [document, rows, null, { t: 'text' }]);
    });
  });

  test('BOOLEAN', async () => {
    await withTable(connection, 'flags', 'id number, b boolean', async () => {
      for (const value of [true, false, null]) {
        await connection.execute('insert into flags values (1, :1)',
          [{ val: value, type: oracledb.DB_TYPE_BOOLEAN }]);
      }
      const result = await connection.execute('select b from flags');
      assert.deepEqual(result.rows, [[true], [false], [null]]);
    });
  });

  test('VECTOR', async () => {
    await withTable(connection, 'vectors', 'id number, v vector(3, float32), d vector', async () => {
      await connection.execute('insert into vectors values (1, :1, :2)',
        [{ val: new Float32Array([1, -0.5, 2]), type: oracledb.DB_TYPE_VECTOR },
          { val: new Float64Array([0.1, 1e300]), type: oracledb.DB_TYPE_VECTOR }]);
      await connection.execute(`insert into vectors values (2, '[3,4,5]', null)`);
      const result = await connection.execute('select v, d from vectors order by id');
      assert.deepEqual([...result.rows[0][0]], [1, -0.5, 2]);
      assert.deepEqual([...result.rows[0][1]], [0.1, 1e300]);
      assert.deepEqual([...result.rows[1][0]], [3, 4, 5]);
      assert.equal(result.rows[1][1], null);
    });
  });

  test('XMLTYPE', async () => {
    const large = `<r>${'x'.repeat(100000)}</r>`;
    await withTable(connection, 'pages', 'id number, x xmltype', async () => {
      await connection.execute(`insert into pages values (1, xmltype('<a>é</a>'))`);
      await connection.execute('insert into pages values (2, xmltype(:1))', [large]);
      await connection.execute('insert into pages values (3, null)');
      const result = await connection.execute('select x from pages order by id');
      assert.deepEqual(result.rows.map((row) => row[0]), ['<a>é</a>', large, null]);
    });
  });

  test('objects and collections', async () => {
    await connection.execute('create or replace type a_point as object (x number, y number)');
    await connection.execute('create or replace type some_names as table of varchar2(20)');
    await withTable(connection, 'places', 'id number, p a_point, n some_names', async () => {
      await connection.execute(
        `insert into places values (1, a_point(1, 2.5), some_names('a', 'b'))`);
      await connection.execute('insert into places values (2, null, null)');
      const result = await connection.execute('select p, n from places order by id');
      const [point, names] = result.rows[0];
      assert.deepEqual([point.X, point.Y], [1, 2.5]);
      assert.deepEqual(names.getValues(), ['a', 'b']);
      assert.deepEqual(result.rows[1], [null, null]);
    });
  });

  test('LONG, LONG RAW, UROWID, 32 kB strings, intervals of months', async () => {
    const text = 'né 🎉 '.repeat(100000);
    const binary = Buffer.alloc(500000, 0xfe);
    await withTable(connection, 'longs', 'id number, t long', async () => {
      await connection.execute('insert into longs values (1, :1)', [text]);
      const result = await connection.execute('select t from longs');
      assert.equal(result.rows[0][0], text);
    });
    await withTable(connection, 'long_raws', 'r long raw', async () => {
      await connection.execute('insert into long_raws values (:1)', [binary]);
      const result = await connection.execute('select r from long_raws');
      assert.ok(binary.equals(result.rows[0][0]));
    });
    const columns = 'u urowid, v varchar2(32767), y interval year to month';
    await withTable(connection, 'others', columns, async () => {
      const wide = 'w'.repeat(32767);
      await connection.execute(
        `insert into others values ('*BAEACkcCwQL+AAAA', :1, interval '-1-2' year to month)`, [wide]);
      const result = await connection.execute('select u, v, y from others');
      assert.equal(result.rows[0][0], '*BAEACkcCwQL+AAAA');
      assert.equal(result.rows[0][1], wide);
      assert.deepEqual([result.rows[0][2].years, result.rows[0][2].months], [-1, -2]);
    });
  });

  test('array DML: row counts and batch errors', async () => {
    await withTable(connection, 'many', 'n number primary key, t varchar2(9) not null', async () => {
      const result = await connection.executeMany('insert into many values (:1, :2)',
        [[1, 'a'], [2, null], [3, 'c'], [3, 'd']], { batchErrors: true, dmlRowCounts: true });
      assert.equal(result.rowsAffected, 2);
      // The thin driver tells the number of a batch error by its text only.
      assert.deepEqual(result.batchErrors.map((e) => [e.offset, e.message.slice(0, 9)]),
        [[1, 'ORA-01400'], [3, 'ORA-00001']]);
      assert.deepEqual(result.dmlRowCounts, [1, 0, 1, 0]);
    });
  });

  test('RETURNING', async () => {
    await withTable(connection, 'returned', 'n number, t varchar2(9)', async () => {
      const result = await connection.execute(
        'insert into returned values (:n, :t) returning n, t into :rn, :rt',
        { n: 5, t: 'five', rn: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER },
          rt: { dir: oracledb.BIND_OUT, type: oracledb.STRING } });
      assert.deepEqual(result.outBinds, { rn: [5], rt: ['five'] });
    });
  });

  test('out binds of blocks, first and repeated execution', async () => {
    for (const n of [1, 2]) {
      const result = await connection.execute('begin :o := :i + 1; end;',
        { o: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER }, i: n });
      assert.deepEqual(result.outBinds, { o: n + 1 });
    }
  });

  test('a query without FROM', async () => {
    assert.deepEqual((await connection.execute('select 1 + 1, (select 3) as three')).rows, [[2, 3]]);
    await assert.rejects(connection.execute('select 1 2'), /ORA-00923/);
  });

  test('REF CURSOR, implicit results and cursor columns', async () => {
    const opened = await connection.execute(
      'begin open :c for select level as n from dual connect by level <= :m; end;',
      { c: { dir: oracledb.BIND_OUT, type: oracledb.CURSOR }, m: 250 });
    const rows = await opened.outBinds.c.getRows(1000);
    await opened.outBinds.c.close();
    assert.deepEqual(rows, Array.from({ length: 250 }, (_, i) => [i + 1]));
    const { implicitResults } = await connection.execute(
      "declare c sys_refcursor; begin open c for select 'a' from dual; " +
      'dbms_sql.return_result(c); open c for select 2 from dual; dbms_sql.return_result(c); end;');
    assert.deepEqual(implicitResults, [[['a']], [[2]]]);
    const nested = await connection.execute(
      'select level, cursor(select 5 from dual) from dual connect by level <= 2');
    assert.deepEqual(nested.rows, [[1, [[5]]], [2, [[5]]]]);
  });

  test('commit, rollback, ping, module', async () => {
    await withTable(connection, 'transacted', 'n number', async () => {
      const count = async () =>
        (await connection.execute('select count(*) from transacted')).rows[0][0];
      await connection.execute('insert into transacted values (1)');
      await connection.rollback();
      assert.equal(await count(), 0);
      await connection.execute('insert into transacted values (1)');
      await connection.commit();
      await connection.execute('insert into transacted values (2)', [], { autoCommit: true });
      await connection.rollback();
      assert.equal(await count(), 2);
    });
    connection.module = 'module';
    connection.action = 'action';
    connection.clientId = 'client';
    await connection.ping();
    assert.deepEqual((await connection.execute('select 1 from dual')).rows, [[1]]);
  });

  test('a cached query after DDL', async () => {
    await withTable(connection, 'reshaped', 'n number, t varchar2(9)', async () => {
      await connection.execute("insert into reshaped values (1, 'a')");
      await connection.commit();
      const other = await server.connect();
      const shapes = [['add (d date)', [1, 'a', null]], ['modify (t varchar2(40))', [1, 'a', null]],
        ['drop column t', [1, null]]];
      const query = 'select * from reshaped';
      await connection.execute(query);
      for (const [ddl, row] of shapes) {
        await other.execute(`alter table reshaped ${ddl}`);
        assert.deepEqual((await connection.execute(query)).rows, [row], ddl);
      }
      await other.close();
    });
  });

  test('temporary LOB', async () => {
    const lob = await connection.createLob(oracledb.CLOB);
    lob.end('written in a stream');
    await new Promise((resolve) => { lob.once('finish', resolve); });
    assert.equal(await lob.getData(), 'written in a stream');
    await lob.close();
  });

  test('a statement of 70 KB', async () => {
    const sql = `select /* ${'x'.repeat(70000)} */ :1 from dual`;
    assert.deepEqual((await connection.execute(sql, ['found'])).rows, [['found']]);
  });

  test('call timeout', async () => {
    await withTable(connection, 'numbers', 'n number', async () => {
      const rows = Array.from({ length: 200 }, (_, n) => [n]);
      await connection.executeMany('insert into numbers values (:1)', rows);
      await connection.commit();
      connection.callTimeout = 300;
      await assert.rejects(connection.execute('select count(*) from numbers a, numbers b, ' +
        'numbers c, numbers d, numbers e where a.n + b.n + c.n + d.n + e.n < 0'), /NJS-123/);
      connection.callTimeout = 0;
      assert.deepEqual((await connection.execute('select 1 from dual')).rows, [[1]]);
    });
  });

  test('change of password', async () => {
    await connection.changePassword(user, password, 'Other-2');
    const renewed = await server.connect({ password: 'Other-2' });
    await renewed.changePassword(user, 'Other-2', password);
    await renewed.close();
  });
});
