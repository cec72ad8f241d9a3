package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCatalogIsGenerated(t *testing.T) {
	want, err := generate(data)
	require.NoError(t, err)
	got, err := os.ReadFile("../../../institutions/catalog.go")
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "catalog.go is out of date: run go generate")
}

func TestBadCatalogIsRefused(t *testing.T) {
	for name, data := range map[string]string{
		"field":  `{"shops":[]}`,
		"entry":  `{"banks":[{"code":"01"}]}`,
		"double": `{"banks":[{"code":"01","name":"A","english":"x"},{"code":"02","name":"A","english":"y"}]}`,
		"name":   `{"cardCompanies":[{"code":"01","english":"x"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate([]byte(data))
			assert.Error(t, err)
		})
	}
}
