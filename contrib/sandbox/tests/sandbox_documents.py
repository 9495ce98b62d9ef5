"""One document of each kind, made up: people are roles, domains are example.com, numbers are published test numbers."""

INVOICE = """INVOICE No. 2026/17
Date: 3 March 2026
Bill to: The Buyer, buyer@example.com

The amount of EUR 1,250.00 must be paid within 30 days. Late payers shall pay interest.
Customers may not deduct bank fees. IBAN DE89 3704 0044 0532 0130 00, card 4111 1111 1111 1111.
Total: EUR 1,250.00
"""
CONTRACT = """SERVICE AGREEMENT
This agreement is made between the parties, the Supplier and the Customer, who hereby agree as follows.
Termination: either party may terminate this contract with notice. The governing law is that of Norway."""
TICKET = """Ticket #5501
Priority: high. Status: open
The app crashes with an error when I log in. Steps to reproduce: open the app. Reported to customer support."""
POLICY = """TRAVEL POLICY
Scope: this policy applies to all employees. Violations of these guidelines are reported. Approval is needed."""
CV = """CURRICULUM VITAE
Work experience: engineer, 2019 to 2025. Education: MSc. Skills: Python. Languages: Norwegian, English."""
LETTER = """Dear Customer,
I am writing to thank you for your order. We look forward to your next visit.
Kind regards, The Shop"""
REPORT = """QUARTERLY REPORT
Executive summary. Revenue grew in Q3 compared with Q2. Findings and recommendations follow in the conclusion."""
DOCUMENTS = {
    "invoice": INVOICE,
    "contract": CONTRACT,
    "support_ticket": TICKET,
    "policy": POLICY,
    "cv": CV,
    "letter": LETTER,
    "report": REPORT,
}
