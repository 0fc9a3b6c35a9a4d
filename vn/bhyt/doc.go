// Package bhyt reads what people show as their health insurance card in
// Vietnam: the number of 15 characters, the social insurance number of 10
// digits, the personal number of 12 digits that takes the card's place since
// 15/08/2025 (NĐ 188/2025), and the text in the QR code of the paper card.
//
// Sources: QĐ 1351/QĐ-BHXH 2015, QĐ 1666/QĐ-BHXH; spec/vn/02-bhyt.md §2.1 for
// the numbers (high confidence), spec/vn/01-identity.md §1.4 for the QR text
// (medium; that names are hex of UTF-8: from memory, so plain text is read
// too). Whether a card is valid only the insurer's look-up can say; letters
// and provinces that are not in our lists only warn.
package bhyt
