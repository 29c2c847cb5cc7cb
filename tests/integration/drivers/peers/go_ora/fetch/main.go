// Reads one table with go-ora, looks at every value, and prints how many rows there were as JSON.
//
// usage: WHERRY_SOURCE_PASSWORD=… go_ora_fetch HOST:PORT/SERVICE USER TABLE ROWS_AT_ONCE
package main

import (
	"database/sql"
	"fmt"
	"log"
	"net/url"
	"os"

	_ "github.com/sijms/go-ora/v2"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: go_ora_fetch HOST:PORT/SERVICE USER TABLE ROWS_AT_ONCE")
	}
	address, user, table, rowsAtOnce := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	link := "oracle://" + url.PathEscape(user) + ":" +
		url.PathEscape(os.Getenv("WHERRY_SOURCE_PASSWORD")) + "@" + address +
		"?TIMEOUT=600&PREFETCH_ROWS=" + url.QueryEscape(rowsAtOnce)
	db, err := sql.Open("oracle", link)
	must(err)
	defer db.Close()
	rows, err := db.Query(`select * from "` + table + `"`)
	must(err)
	names, err := rows.Columns()
	must(err)
	values := make([]interface{}, len(names))
	targets := make([]interface{}, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	count := 0
	for rows.Next() {
		must(rows.Scan(targets...))
		count++
	}
	must(rows.Err())
	must(rows.Close())
	fmt.Printf("{\"rows\":%d}\n", count)
}
