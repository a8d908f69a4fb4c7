// Command smokeapp is a server that behaves as its environment says.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 { // HEALTHCHECK
		answer, err := http.Get("http://127.0.0.1:8080/health")
		if err != nil || answer.StatusCode != http.StatusOK {
			fmt.Println("not healthy")
			os.Exit(1)
		}
		return
	}
	if path := os.Getenv("WRITES"); path != "" {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			fmt.Println("cannot write:", err)
			os.Exit(3)
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		for range stop {
			if os.Getenv("STUBBORN") == "" {
				os.Exit(0)
			}
			fmt.Println("SIGTERM ignored")
		}
	}()
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	fmt.Println("listening, uid", os.Getuid())
	fmt.Println(http.ListenAndServe(":8080", nil))
}
