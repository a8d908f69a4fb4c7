// Command trivydb turns a YAML file into a vulnerability database in the format of trivy-db v2.
package main

import (
	"log"
	"os"

	fixtures "github.com/aquasecurity/bolt-fixtures"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: trivydb DATABASE FIXTURE.yaml")
	}
	loader, err := fixtures.New(os.Args[1], []string{os.Args[2]})
	if err != nil {
		log.Fatal(err)
	}
	if err := loader.Load(); err != nil {
		log.Fatal(err)
	}
	if err := loader.Close(); err != nil {
		log.Fatal(err)
	}
}
