"""ShipStation's V1 API: a client that says whether an answer is complete, and a stand-in to rehearse with.

``docs/shipstation.md`` has the facts about the API that these modules rely on.
"""
