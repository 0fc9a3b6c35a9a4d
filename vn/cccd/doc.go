// Package cccd reads the text in the QR code of the Vietnamese identity card
// (căn cước công dân with chip, 2021; căn cước, 2024) as cameras and scanners
// that type like a keyboard deliver it, and explains the twelve digits of the
// personal number and the nine of the card before it.
//
// Sources: NĐ 137/2015 Điều 13 and TT 07/2016/TT-BCA Điều 7 for the number;
// spec/vn/01-identity.md §1.1, §1.2 for the text. There is no check digit, so
// a number that passes may still be a wrong one; and sex and birth date may
// have been corrected while the number stayed, so those two only warn.
//
// The card of 2024 carries more fields after the seventh. What they mean is
// not settled by a text at hand: they are kept in Extra and given no meaning.
// What an input method (Telex, VNI) of the desk's computer makes of a scan
// can't be turned back for certain; such a scan is refused or told as doubtful.
package cccd
