// orasim seen by go-ora, unmodified: a driver that shares no code with Oracle's own.
//
// usage: go_ora_peer --list | go_ora_peer HOST:PORT SERVICE USER PASSWORD GENERATION [NAME]
// Prints "ok NAME" or "not ok NAME: REASON" a check; the file beside it starts the servers.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	go_ora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/network"
)

var (
	address, service, user, password, generation string
	db                                           *sql.DB
)

type check struct {
	name string
	run  func()
}

// Failures end a check by a panic; main turns it into a line.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(expected, found interface{}) {
	if !reflect.DeepEqual(expected, found) {
		panic(fmt.Errorf("expected %.120v, found %.120v", expected, found))
	}
}

func refused(code int, err error) *network.OracleError {
	var failure *network.OracleError
	if !errors.As(err, &failure) || failure.ErrCode != code {
		panic(fmt.Errorf("ORA-%05d expected, got: %v", code, err))
	}
	return failure
}

func open(toService, as, with string, options string) *sql.DB {
	link := "oracle://" + url.PathEscape(as) + ":" + url.PathEscape(with) + "@" + address + "/" +
		toService + "?TIMEOUT=60" + os.Getenv("PEER_OPTIONS") + options
	opened, err := sql.Open("oracle", link)
	must(err)
	opened.SetMaxOpenConns(1)
	return opened
}

func exec(statement string, binds ...interface{}) sql.Result {
	result, err := db.Exec(statement, binds...)
	must(err)
	return result
}

func withTable(name, columns string, body func()) {
	exec("create table " + name + " (" + columns + ")")
	defer func() { exec("drop table " + name) }()
	body()
}

func one(target interface{}, query string, binds ...interface{}) {
	must(db.QueryRow(query, binds...).Scan(target))
}

func count(table string) int {
	var n int
	one(&n, "select count(*) from "+table)
	return n
}

// ---- session

func connects() {
	must(db.Ping())
	var text string
	one(&text, "select 'seen' from dual")
	equal("seen", text)
}

func logInRefused(toService, as, with string, code int) {
	other := open(toService, as, with, "")
	defer other.Close()
	refused(code, other.Ping())
}

func wrongPassword() { logInRefused(service, user, "wrong", 1017) }
func unknownUser()   { logInRefused(service, "nobody", password, 1017) }
func unknownService() {
	other := open("NOSUCH", user, password, "")
	defer other.Close()
	err := other.Ping()
	if err == nil || !strings.Contains(err.Error(), "12514") {
		panic(fmt.Errorf("ORA-12514 expected, got: %v", err))
	}
}

// ---- queries

func manyRows() {
	withTable("big_result", "n number, t varchar2(200), d date", func() {
		numbers, texts := make([]int, 3000), make([]string, 3000)
		for i := range numbers {
			numbers[i], texts[i] = i, fmt.Sprintf("repeated %d", i/5)
		}
		result := exec("insert into big_result (n, t) values (:1, :2)", numbers, texts)
		affected, err := result.RowsAffected()
		must(err)
		equal(int64(3000), affected)
		rows, err := db.Query("select n, t, d from big_result where n >= :1 order by n", 0)
		must(err)
		defer rows.Close()
		seen := 0
		for ; rows.Next(); seen++ {
			var n int
			var t string
			var d sql.NullTime
			must(rows.Scan(&n, &t, &d))
			equal(seen, n)
			equal(fmt.Sprintf("repeated %d", seen/5), t)
			equal(false, d.Valid)
		}
		must(rows.Err())
		equal(3000, seen)
	})
}

func preparedAgain() {
	statement, err := db.Prepare("select :1 || :2 from dual")
	must(err)
	defer statement.Close()
	for i := 0; i < 20; i++ {
		var text string
		must(statement.QueryRow(fmt.Sprintf("n%d-", i), i).Scan(&text))
		equal(fmt.Sprintf("n%d-%d", i, i), text)
	}
}

func repeatedNames() {
	var text string
	one(&text, "select :a || '-' || :b || '-' || :a || :b from dual", sql.Named("a", "x"),
		sql.Named("b", "y"))
	equal("x-y-xy", text)
	withTable("twice", "a varchar2(20), b number, c varchar2(20)", func() {
		exec("insert into twice values (:a, :n, :a)", sql.Named("n", 7), sql.Named("a", "same"))
		var a, c string
		must(db.QueryRow("select a, c from twice where b = :n and b = :n", sql.Named("n", 7)).
			Scan(&a, &c))
		equal([]string{"same", "same"}, []string{a, c})
	})
}

func bindsOfEveryLength() {
	for _, text := range []string{"a", strings.Repeat("é", 100), strings.Repeat("x", 252),
		strings.Repeat("x", 253), strings.Repeat("y", 4000)} {
		var found string
		one(&found, "select :1 from dual", text)
		equal(text, found)
	}
	var none sql.NullString
	one(&none, "select :1 from dual", nil)
	equal(false, none.Valid)
}

func errorPosition() {
	_, err := db.Query("select * from no_such_table")
	failure := refused(942, err)
	equal(14, failure.ErrPos())
	var text string
	one(&text, "select 'usable' from dual")
	equal("usable", text)
}

func columnTypes() {
	withTable("described", "id number(10) not null, price number(8,2), t varchar2(10 char), d date",
		func() {
			rows, err := db.Query("select * from described")
			must(err)
			defer rows.Close()
			types, err := rows.ColumnTypes()
			must(err)
			names := []string{}
			for _, column := range types {
				names = append(names, column.Name())
			}
			equal([]string{"ID", "PRICE", "T", "D"}, names)
			nullable, _ := types[0].Nullable()
			equal(false, nullable)
			precision, scale, _ := types[1].DecimalSize()
			equal([]int64{8, 2}, []int64{precision, scale})
		})
}

// ---- types

func numbers() {
	withTable("numbers", "id number, v number", func() {
		texts := []string{"0", "1", "-1", "123.45", "-.5", "12345678901234567890123456789012345678",
			"99999.99999", strings.Repeat("9", 38)}
		for i, text := range texts {
			number, err := go_ora.NewNumberFromString(text)
			must(err)
			exec("insert into numbers values (:1, :2)", i, number)
		}
		exec("insert into numbers values (:1, :2)", len(texts), nil)
		rows, err := db.Query("select to_char(v, 'TM9') from numbers order by id")
		must(err)
		defer rows.Close()
		for _, text := range texts {
			rows.Next()
			var found string
			must(rows.Scan(&found))
			equal(text, found)
		}
		rows.Next()
		var none sql.NullString
		must(rows.Scan(&none))
		equal(false, none.Valid)
	})
}

func scalars() {
	columns := "id number, vc varchar2(4000), ch char(5), nv nvarchar2(100), n number, d date, " +
		"ts timestamp(9), tz timestamp with time zone, r raw(2000), bf binary_float, " +
		"bd binary_double"
	withTable("scalars", columns, func() {
		text := strings.Repeat("né 🎉", 100)
		raw := make([]byte, 256)
		for i := range raw {
			raw[i] = byte(i)
		}
		at := time.Date(2026, 8, 9, 12, 13, 14, 123456789, time.UTC)
		zoned := time.Date(2026, 8, 9, 14, 43, 14, 500000000, time.FixedZone("", 9000))
		statement, err := db.Prepare(
			"insert into scalars values (:1,:2,:3,:4,:5,:6,:7,:8,:9,:10,:11)")
		must(err)
		_, err = statement.Exec(1, text, "ab", go_ora.NVarChar("ñ🎉"), -1234567.89,
			time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), go_ora.TimeStamp(at),
			go_ora.TimeStampTZ(zoned), raw, 1.5, -2.25e30)
		must(err)
		_, err = statement.Exec(2, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
		must(err)
		must(statement.Close())
		rows, err := db.Query("select * from scalars order by id")
		must(err)
		defer rows.Close()
		rows.Next()
		var id int
		var vc, ch, nv sql.NullString
		var n, bf, bd sql.NullFloat64
		var d, ts, tz sql.NullTime
		var r []byte
		scan := func() { must(rows.Scan(&id, &vc, &ch, &nv, &n, &d, &ts, &tz, &r, &bf, &bd)) }
		scan()
		equal(text, vc.String)
		equal("ab   ", ch.String)
		equal("ñ🎉", nv.String)
		equal(-1234567.89, n.Float64)
		equal("1999-12-31T23:59:59", d.Time.Format("2006-01-02T15:04:05"))
		equal("2026-08-09T12:13:14.123456789", ts.Time.Format("2006-01-02T15:04:05.999999999"))
		equal(true, tz.Time.Equal(zoned))
		equal(raw, r)
		equal(1.5, bf.Float64)
		equal(-2.25e30, bd.Float64)
		rows.Next()
		scan()
		equal([]bool{false, false, false, false, false, false, false, false, false},
			[]bool{vc.Valid, ch.Valid, nv.Valid, n.Valid, d.Valid, ts.Valid, tz.Valid, bf.Valid,
				bd.Valid})
		equal(0, len(r))
	})
}

func intervals() {
	withTable("spans", "ym interval year to month, ds interval day to second(6)", func() {
		// Positive ones: this driver prints the months of a negative interval as 18 too many.
		exec("insert into spans values (interval '1-2' year to month, " +
			"interval '3 04:05:06.5' day to second)")
		var ym, ds string
		must(db.QueryRow("select ym, ds from spans").Scan(&ym, &ds))
		equal("+01-02", ym)
		equal("+03 04:05:06.500000", ds)
	})
}

func rowIds() {
	withTable("with_ids", "n number", func() {
		exec("insert into with_ids values (7)")
		var id string
		one(&id, "select rowid from with_ids")
		equal(18, len(id))
		var n int
		one(&n, "select n from with_ids where rowid = :1", id)
		equal(7, n)
	})
}

// ---- changes

func transactions() {
	withTable("transacted", "n number", func() {
		transaction, err := db.Begin()
		must(err)
		_, err = transaction.Exec("insert into transacted values (:1)", 1)
		must(err)
		must(transaction.Rollback())
		equal(0, count("transacted"))
		transaction, err = db.Begin()
		must(err)
		_, err = transaction.Exec("insert into transacted values (:1)", 1)
		must(err)
		must(transaction.Commit())
		equal(1, count("transacted"))
	})
}

func preparedChanges() {
	withTable("prepared", "n number, t varchar2(4000)", func() {
		statement, err := db.Prepare("insert into prepared values (:1, :2)")
		must(err)
		for i, length := range []int{1, 10, 10, 3000, 2} {
			result, err := statement.Exec(i, strings.Repeat("z", length))
			must(err)
			affected, err := result.RowsAffected()
			must(err)
			equal(int64(1), affected)
		}
		must(statement.Close())
		var total int
		one(&total, "select sum(length(t)) from prepared")
		equal(3023, total)
	})
}

func arrayErrors() {
	withTable("arrays", "n number primary key, t varchar2(10) not null", func() {
		_, err := db.Exec("insert into arrays values (:1, :2)", []int{1, 2, 1, 3},
			[]string{"a", "b", "c", "d"})
		if err == nil || !strings.Contains(err.Error(), "ORA-00001") &&
			!strings.Contains(err.Error(), "ORA-24381") {
			panic(fmt.Errorf("a doubled key was accepted: %v", err))
		}
		var n int
		one(&n, "select 5 from dual")
		equal(5, n)
	})
}

func returning() {
	withTable("returned", "n number, t varchar2(100)", func() {
		statement, err := db.Prepare("insert into returned values (:1, :2) returning n, t into :3, :4")
		must(err)
		for i := 1; i < 4; i++ {
			var n int
			var text string
			_, err = statement.Exec(i, fmt.Sprintf("text %d", i), go_ora.Out{Dest: &n},
				go_ora.Out{Dest: &text, Size: 100})
			must(err)
			equal(i, n)
			equal(fmt.Sprintf("text %d", i), text)
		}
		must(statement.Close())
		var n int64
		exec("update returned set t = upper(t) where n = :1 returning n into :2", 2,
			go_ora.Out{Dest: &n})
		equal(int64(2), n)
	})
}

func constraintErrors() {
	withTable("keyed", "n number primary key", func() {
		exec("insert into keyed values (1)")
		for i := 0; i < 2; i++ {
			_, err := db.Exec("insert into keyed values (:1)", 1)
			refused(1, err)
		}
		exec("insert into keyed values (:1)", 2)
		equal(2, count("keyed"))
	})
}

// ---- blocks

func blocks() {
	statement, err := db.Prepare("begin :1 := :2 + 1; :3 := 'text ' || :4; end;")
	must(err)
	for i := 1; i < 4; i++ {
		var n int
		var text string
		_, err = statement.Exec(go_ora.Out{Dest: &n}, i, go_ora.Out{Dest: &text, Size: 50},
			fmt.Sprintf("v%d", i))
		must(err)
		equal(i+1, n)
		equal(fmt.Sprintf("text v%d", i), text)
	}
	must(statement.Close())
}

func bulkInsert() {
	withTable("bulk", "n number, t varchar2(100), d date, f binary_double", func() {
		const size = 5000
		day := time.Date(2026, 8, 9, 12, 13, 14, 0, time.UTC)
		numbers, texts := make([]int, size), make([]sql.NullString, size)
		days, reals := make([]time.Time, size), make([]float64, size)
		for i := range numbers {
			numbers[i], days[i], reals[i] = i, day.AddDate(0, 0, i%28), float64(i)/4
			texts[i] = sql.NullString{String: fmt.Sprintf("é %d", i), Valid: i%5 != 0}
		}
		result := exec("insert into bulk values (:1, :2, :3, :4)", numbers, texts, days, reals)
		affected, err := result.RowsAffected()
		must(err)
		equal(int64(size), affected)
		var sum, nulls int
		must(db.QueryRow("select sum(n), count(*) - count(t) from bulk").Scan(&sum, &nulls))
		equal(size*(size-1)/2, sum)
		equal(size/5, nulls)
		var text string
		one(&text, "select t || to_char(d, ' YYYY-MM-DD HH24:MI:SS ') || to_char(cast(f as number)) from bulk "+
			"where n = :1", 7)
		equal("é 7 2026-08-16 12:13:14 1.75", text)
	})
}

func inOutBinds() {
	value := 20
	for i := 0; i < 3; i++ {
		exec("begin :v := :v + 1; end;", sql.Named("v", go_ora.Out{Dest: &value, In: true}))
	}
	equal(23, value)
}

// Also the number of lines, which is IN OUT.
func indexTables() {
	exec("begin dbms_output.enable; for i in 1 .. 5 loop dbms_output.put_line('line ' || i); end loop; end;")
	lines, count := make([]string, 4, 4), 4
	exec("begin dbms_output.get_lines(:1, :2); end;", go_ora.Out{Dest: &lines, Size: 4},
		go_ora.Out{Dest: &count, In: true})
	equal([]string{"line 1", "line 2", "line 3", "line 4"}, lines)
	equal(4, count)
	words, lengths := []string{"a", "bb", "ccc"}, []int{}
	exec("declare type texts is table of varchar2(100) index by pls_integer; w texts := :1; "+
		"n dbms_sql.number_table; begin for i in 1 .. w.count loop n(i) := length(w(i)); "+
		"end loop; :2 := n; end;", words, go_ora.Out{Dest: &lengths, Size: 3})
	equal([]int{1, 2, 3}, lengths)
}

type pair struct {
	A int64  `udt:"A"`
	B string `udt:"B"`
}

func namedTypes() {
	exec("create type pair as object (a number, b varchar2(10))")
	defer exec("drop type pair")
	must(go_ora.RegisterType(db, "PAIR", "", pair{}))
	withTable("pairs", "id number, p pair", func() {
		exec("insert into pairs values (:1, :2)", 1, pair{7, "seven"})
		var b string
		one(&b, "select t.p.a || t.p.b from pairs t")
		equal("7seven", b)
		var found pair
		exec("begin :1 := pair(3, 'made'); end;", go_ora.Out{Dest: &found})
		equal(pair{3, "made"}, found)
		one(&found, "select p from pairs")
		equal(pair{7, "seven"}, found)
	})
}

func blockTimes() {
	var at time.Time
	given := time.Date(2026, 8, 9, 12, 13, 14, 0, time.UTC)
	exec("begin :1 := :2; end;", go_ora.Out{Dest: &at}, given)
	equal(true, at.Equal(given))
}

func errorInBlock() {
	_, err := db.Exec("begin raise_application_error(-20001, 'refused'); end;")
	refused(20001, err)
}

// ---- LOBs

func lobs(options string) func() {
	return func() {
		withTable("lobs", "id number, c clob, b blob, n nclob", func() {
			text := strings.Repeat("né 🎉 ", 20000)
			binary := bytes.Repeat([]byte{0, 1, 2, 250, 255}, 30000)
			exec("insert into lobs values (:1, :2, :3, :4)", 1,
				go_ora.Clob{String: text, Valid: true}, go_ora.Blob{Data: binary},
				go_ora.NClob{String: "national ñ", Valid: true})
			exec("insert into lobs values (:1, :2, :3, :4)", 2, text, binary,
				go_ora.NClob{})
			other := open(service, user, password, options)
			defer other.Close()
			rows, err := other.Query("select id, c, b, n from lobs order by id")
			must(err)
			defer rows.Close()
			for id := 1; id <= 2; id++ {
				if !rows.Next() {
					panic(fmt.Errorf("row %d is missing: %v", id, rows.Err()))
				}
				var n int
				var c, nc sql.NullString
				var b []byte
				must(rows.Scan(&n, &c, &b, &nc))
				equal(text, c.String)
				equal(true, bytes.Equal(binary, b))
				equal(id == 1, nc.Valid)
			}
		})
	}
}

func namedZones() {
	for _, zone := range []string{"Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"} {
		var moment time.Time
		one(&moment, "select timestamp '2024-07-01 12:00:00.5 "+zone+"' from dual")
		location, err := time.LoadLocation(zone)
		must(err)
		wanted := time.Date(2024, 7, 1, 12, 0, 0, 500_000_000, location)
		equal(true, wanted.Equal(moment))
	}
}

// JSON and VECTOR come as CLOBs to a client that does not know them.
func documentsAsText() {
	if generation != "23ai" {
		return
	}
	withTable("documents", "j json, v vector", func() {
		exec("insert into documents values (:1, :2)", `{"a":[1,null]}`, "[1, -0.5]")
		var j, v string
		must(db.QueryRow("select j, v from documents").Scan(&j, &v))
		equal(`{"a":[1,null]}`, j)
		equal("[1.0E+000,-5.0E-001]", v)
	})
}

// ---- breaks

const endless = "select count(*) from endless a, endless b, endless c, endless d, endless e " +
	"where a.n + b.n + c.n + d.n + e.n < 0"

func cancel() {
	withTable("endless", "n number", func() {
		numbers := make([]int, 200)
		for i := range numbers {
			numbers[i] = i
		}
		exec("insert into endless values (:1)", numbers)
		until, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer stop()
		started := time.Now()
		rows, err := db.QueryContext(until, endless)
		if err == nil {
			rows.Next()
			err = rows.Err()
		}
		if err == nil {
			panic(errors.New("the endless query came to an end"))
		}
		if time.Since(started) > 20*time.Second {
			panic(fmt.Errorf("cancelled only after %v", time.Since(started)))
		}
		var n int
		one(&n, "select 3 from dual")
		equal(3, n)
	})
}

func checks() []check {
	return []check{
		{"connects", connects}, {"wrong password", wrongPassword}, {"unknown user", unknownUser},
		{"unknown service", unknownService}, {"many rows", manyRows},
		{"prepared again", preparedAgain}, {"repeated names", repeatedNames},
		{"binds of every length", bindsOfEveryLength}, {"error position", errorPosition},
		{"column types", columnTypes}, {"numbers", numbers}, {"scalars", scalars},
		{"intervals", intervals}, {"row ids", rowIds}, {"transactions", transactions},
		{"prepared changes", preparedChanges}, {"array errors", arrayErrors},
		{"returning", returning}, {"constraint errors", constraintErrors}, {"blocks", blocks},
		{"bulk insert", bulkInsert},
		{"in-out binds", inOutBinds}, {"index-by tables", indexTables},
		{"named types", namedTypes},
		{"block times", blockTimes},
		{"error in a block", errorInBlock}, {"lobs in line", lobs("")},
		{"lobs by locator", lobs("&lob fetch=post")}, {"named zones", namedZones},
		{"documents as text", documentsAsText}, {"cancel", cancel},
	}
}

func run(c check) {
	defer func() {
		if failure := recover(); failure != nil {
			reason := strings.ReplaceAll(fmt.Sprint(failure), "\n", " ")
			fmt.Printf("not ok %s: %s\n", c.name, reason)
			return
		}
		fmt.Printf("ok %s\n", c.name)
	}()
	c.run()
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--list" {
		for _, c := range checks() {
			fmt.Println(c.name)
		}
		return
	}
	if len(os.Args) < 6 {
		fmt.Fprintln(os.Stderr, "usage: go_ora_peer HOST:PORT SERVICE USER PASSWORD GENERATION [NAME]")
		os.Exit(2)
	}
	address, service, user = os.Args[1], os.Args[2], os.Args[3]
	password, generation = os.Args[4], os.Args[5]
	db = open(service, user, password, "")
	defer db.Close()
	for _, c := range checks() {
		if len(os.Args) == 6 || strings.Contains(c.name, os.Args[6]) {
			run(c)
		}
	}
	fmt.Println("done")
}
