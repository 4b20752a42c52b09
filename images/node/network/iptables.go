package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// ensureRule appends a rule to a chain that does not have it.
func ensureRule(table, chain string, rule ...string) error {
	if iptables(table, append([]string{"--check", chain}, rule...)) == nil {
		return nil
	}
	return iptables(table, append([]string{"--append", chain}, rule...))
}

func iptables(table string, args []string) error {
	command := exec.Command("iptables", append([]string{"--wait", "--table", table}, args...)...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(output)))
	}
	return nil
}
