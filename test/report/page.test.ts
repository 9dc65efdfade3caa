import { describe, expect, it } from 'vitest'
import { escapeHtml } from '../../src/report/escape-html.ts'
import { htmlPage } from '../../src/report/page.ts'

const HOSTILE = `</title><script>alert("1" & '2')</script>`

describe('htmlPage', () => {
  it('has a title and its sections in order', () => {
    const page = htmlPage({
      title: 'churn',
      sections: [
        { heading: 'One', html: '<p>first</p>' },
        { heading: 'Two', html: '<p>second</p>' },
      ],
    })
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).toContain('<title>churn</title>')
    expect(page.indexOf('<p>first</p>')).toBeGreaterThan(page.indexOf('<h2>One</h2>'))
    expect(page.indexOf('<h2>Two</h2>')).toBeGreaterThan(page.indexOf('<p>first</p>'))
  })

  it('escapes title and headings', () => {
    const page = htmlPage({ title: HOSTILE, sections: [{ heading: HOSTILE, html: '' }] })
    expect(page).not.toContain('<script')
    expect(page.split(escapeHtml(HOSTILE))).toHaveLength(4)
  })

  it('fetches nothing and runs nothing', () => {
    const page = htmlPage({ title: 'a', sections: [{ heading: 'b', html: 'c' }] })
    expect(page).not.toMatch(/https?:|<script|<link|<img|@import|url\(|\bon\w+=/)
    expect(page).toContain("default-src 'none'")
  })

  it('is light or dark as the reader has it', () => {
    expect(htmlPage({ title: 'a', sections: [] })).toContain('prefers-color-scheme: dark')
  })
})

describe('escapeHtml', () => {
  it('leaves nothing that a parser reads as markup, and each character once', () => {
    expect(escapeHtml(`a<b>&"c"'d'`)).toBe('a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;')
    expect(escapeHtml('&lt;')).toBe('&amp;lt;')
  })
})
