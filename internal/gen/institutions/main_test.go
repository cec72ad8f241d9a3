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
	got, err := os.ReadFile("../../../institutions.go")
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "institutions.go is out of date: run go generate")
}

func TestBadCatalogIsRefused(t *testing.T) {
	for name, data := range map[string]string{
		"field":  `{"shops":[]}`,
		"entry":  `{"banks":[{"code":"01"}]}`,
		"double": `{"methods":[{"code":"A_B","english":"x"},{"code":"A_B","english":"y"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate([]byte(data))
			assert.Error(t, err)
		})
	}
}
