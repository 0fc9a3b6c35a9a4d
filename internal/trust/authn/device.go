package authn

import "strings"

// DeviceName says in two words which program on which device a User-Agent
// stands for, such as "Chrome · Android"; "" when it says neither.
func DeviceName(userAgent string) string {
	browser := first(userAgent, browsers)
	system := first(userAgent, systems)
	if browser != "" && system != "" {
		return browser + " · " + system
	}
	return browser + system
}

// The order matters: most of them claim to be those further down.
var (
	browsers = [][2]string{
		{"Zalo", "Zalo"}, {"coc_coc", "Cốc Cốc"}, {"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"SamsungBrowser", "Samsung Internet"}, {"OPR/", "Opera"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Macintosh", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

func first(text string, table [][2]string) string {
	for _, row := range table {
		if strings.Contains(text, row[0]) {
			return row[1]
		}
	}
	return ""
}
